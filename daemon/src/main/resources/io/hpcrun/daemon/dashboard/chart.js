// Drawings. Places are percentages, so that nothing is computed anew when the page's width changes.

import { el, svg } from './dom.js';
import { number, roundDuration } from './format.js';
import { ticks } from './figures.js';

/** The kinds of bars: their colour and pattern are the style sheet's, their words the legend's. */
export const BARS = new Map([
  ['check', 'check'],
  ['stage', 'stage (image)'],
  ['hold', 'hold (container)'],
  ['enter', 'enter (probe)'],
  ['teardown', 'teardown'],
  ['spawn', 'spawn'],
  ['bind', 'bind'],
  ['run', 'run'],
]);

const PATTERNS = {
  check: [],
  stage: ['M2 2h2v2H2z'],
  hold: ['M0 6L6 0'],
  enter: ['M0 0L6 6'],
  teardown: ['M0 0L6 6M0 6L6 0'],
  spawn: [],
  bind: ['M3 0V6'],
  run: ['M0 3H6'],
};

/** The patterns that bars are filled with; once in a page. */
export function patterns() {
  return svg(
    'svg',
    { class: 'patterns', width: 0, height: 0, 'aria-hidden': 'true', focusable: 'false' },
    svg(
      'defs',
      {},
      [...BARS.keys()].map((kind) =>
        svg(
          'pattern',
          { id: `bar-${kind}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
          svg('rect', { width: 6, height: 6, class: `bar-${kind}` }),
          PATTERNS[kind].map((path) => svg('path', { d: path, class: 'hatch' })),
        ),
      ),
    ),
  );
}

/** What the patterns mean. */
export function legend(kinds) {
  return el(
    'ul',
    { class: 'legend' },
    kinds.map((kind) =>
      el(
        'li',
        {},
        svg(
          'svg',
          { width: 28, height: 12, 'aria-hidden': 'true' },
          svg('rect', { width: 28, height: 12, fill: `url(#bar-${kind})` }),
        ),
        ` ${BARS.get(kind)}`,
      ),
    ),
  );
}

/** Where a moment is between two others, in percent; what is outside is at the edge. */
export function scale(from, to) {
  const width = to - from;
  return (at) => Math.min(100, Math.max(0, ((at - from) / width) * 100));
}

/**
 * A row of bars.
 *
 * @param bars {kind, from, to, lane, words}: lane 0 above lane 1; a bar that ends after the edge is
 *     marked as going on
 * @param marks {from, to, lane}: thin lines below a lane: how far something may be off, or reaches
 * @param x the scale
 * @param words what is drawn, for who does not see it
 */
export function barRow(bars, marks, x, end, words) {
  const height = bars.some((bar) => bar.lane === 1) ? 38 : 16;
  return svg(
    'svg',
    { class: 'bars', width: '100%', height, role: 'img', 'aria-label': words || 'nothing was measured' },
    bars.filter((bar) => bar.from < end).map((bar) => {
      const from = x(bar.from);
      const width = Math.max(0.2, x(bar.to) - from);
      return svg(
        'rect',
        {
          x: `${Math.min(from, 99.8).toFixed(3)}%`,
          y: bar.lane === 1 ? 20 : 2,
          width: `${width.toFixed(3)}%`,
          height: 11,
          fill: `url(#bar-${bar.kind})`,
        },
        svg('title', {}, bar.words),
      );
    }),
    bars
      .filter((bar) => bar.to > end && bar.from < end)
      .map((bar) =>
        svg('text', { class: 'on', x: '100%', y: bar.lane === 1 ? 29.5 : 11.5, 'text-anchor': 'end' }, '▸'),
      ),
    marks.map((mark) => {
      const from = `${x(mark.from).toFixed(3)}%`;
      const to = `${x(mark.to).toFixed(3)}%`;
      const y = mark.lane === 1 ? 34.5 : 16.5;
      return svg(
        'g',
        { class: 'whisker' },
        svg('line', { x1: from, x2: to, y1: y, y2: y }),
        svg('line', { x1: from, x2: from, y1: y - 2.5, y2: y + 2.5 }),
        svg('line', { x1: to, x2: to, y1: y - 2.5, y2: y + 2.5 }),
        svg('title', {}, mark.words),
      );
    }),
  );
}

/** The axis of such rows, as a column's heading. */
export function timeAxis(length) {
  const x = scale(0, length);
  return [el('span', { class: 'unseen' }, 'Timeline'), svg(
    'svg',
    { class: 'axis', width: '100%', height: 20, 'aria-hidden': 'true' },
    ticks(length, 5).map((at) => {
      const place = x(at);
      return [
        svg('line', { x1: `${place}%`, x2: `${place}%`, y1: 15, y2: 20 }),
        svg(
          'text',
          { x: `${place}%`, y: 12, 'text-anchor': place > 90 ? 'end' : place < 5 ? 'start' : 'middle' },
          roundDuration(at),
        ),
      ];
    }),
  )];
}

/**
 * Which part of a launch timelines show. What comes before the ranks run would not be seen beside a
 * run of hours.
 *
 * @param changed gets whether the whole launch is wanted
 */
export function spanChoice(changed, say) {
  const option = (value, words) =>
    el('label', {}, el('input', {
      type: 'radio', name: 'span', value, id: `span-${value}`, checked: value === 'start',
      change: () => {
        changed(value === 'whole');
        say(`Timeline of ${words}`);
      },
    }), ` ${words}`);
  return el('fieldset', { class: 'inline' }, el('legend', {}, 'Timeline of'),
    option('start', 'the start'), ' ', option('whole', 'the whole launch'));
}

/** The powers of ten between which some summaries lie; undefined if none has figures. */
export function decades(summaries) {
  const known = (name) => summaries.map((each) => number(each[name])).filter((each) => each !== undefined);
  const least = known('min_ns');
  const most = known('max_ns');
  return least.length === 0 || most.length === 0 ? undefined : {
    from: Math.floor(Math.log10(Math.max(1000, Math.min(...least)))),
    to: Math.ceil(Math.log10(Math.max(10_000, ...most))),
  };
}

/** The spread of a stage on a logarithmic scale: line from minimum to maximum, box from median to p95. */
export function spread(summary, between) {
  const place = (ns) =>
    Math.min(100, Math.max(0, ((Math.log10(Math.max(1, ns)) - between.from) / (between.to - between.from)) * 100));
  const values = ['min_ns', 'median_ns', 'p95_ns', 'max_ns'].map((name) => number(summary[name]));
  if (values.includes(undefined)) {
    return '';
  }
  const [least, middle, p95, most] = values.map(place);
  const box = Math.min(middle, 99);
  return svg(
    'svg',
    { class: 'spread', width: '100%', height: 16, 'aria-hidden': 'true' },
    svg('line', { x1: `${least}%`, x2: `${most}%`, y1: 8, y2: 8 }),
    svg('rect', { x: `${box}%`, y: 3, width: `${Math.max(1, p95 - middle)}%`, height: 10 }),
  );
}

/**
 * A line for medians and one for 95th percentiles.
 *
 * @param points {words, median, p95} from left to right; at most some hundred
 */
export function percentileChart(points, label) {
  const most = Math.max(1, ...points.map((point) => point.p95 ?? point.median ?? 0)) * 1.05;
  const x = (i) => (points.length === 1 ? 50 : 1 + (i / (points.length - 1)) * 98);
  const y = (ns) => 100 - (ns / most) * 100;
  const line = (member, kind) => {
    const known = points.map((point, i) => [x(i), point[member]]).filter(([, ns]) => ns !== undefined);
    return svg(
      'g',
      { class: kind },
      known.slice(1).map(([at, ns], i) =>
        svg('line', {
          x1: `${known[i][0].toFixed(2)}%`, y1: `${y(known[i][1]).toFixed(2)}%`,
          x2: `${at.toFixed(2)}%`, y2: `${y(ns).toFixed(2)}%`,
        }),
      ),
      known.map(([at, ns]) =>
        kind === 'median'
          ? svg('circle', { cx: `${at.toFixed(2)}%`, cy: `${y(ns).toFixed(2)}%`, r: 3.5 })
          : svg('svg', { x: `${at.toFixed(2)}%`, y: `${y(ns).toFixed(2)}%`, class: 'square' },
              svg('rect', { x: -3.5, y: -3.5, width: 7, height: 7 })),
      ),
    );
  };
  const named = [0, points.length >> 1, points.length - 1].filter((at, i, all) => all.indexOf(at) === i);
  return el(
    'figure',
    { class: 'chart' },
    svg(
      'svg',
      { class: 'plot', role: 'img', 'aria-label': label },
      ticks(most, 4).map((ns) => [
        svg('line', { class: 'grid', x1: '0%', x2: '100%', y1: `${y(ns)}%`, y2: `${y(ns)}%` }),
        svg('text', { x: 4, y: `${y(ns)}%`, dy: -3 }, roundDuration(ns)),
      ]),
      line('p95', 'p95'),
      line('median', 'median'),
    ),
    el('div', { class: 'below', 'aria-hidden': 'true' }, named.map((i) => el('span', {}, points[i].words))),
    el(
      'figcaption',
      {},
      el('span', { class: 'key' }, svg('svg', { width: 30, height: 10, 'aria-hidden': 'true', class: 'median' },
        svg('line', { x1: 0, x2: 30, y1: 5, y2: 5 }), svg('circle', { cx: 15, cy: 5, r: 3.5 })), ' median (solid, circles)'),
      ' ',
      el('span', { class: 'key' }, svg('svg', { width: 30, height: 10, 'aria-hidden': 'true', class: 'p95' },
        svg('line', { x1: 0, x2: 30, y1: 5, y2: 5 }), svg('rect', { x: 11.5, y: 1.5, width: 7, height: 7 })), ' 95th percentile (dashed, squares)'),
    ),
  );
}
