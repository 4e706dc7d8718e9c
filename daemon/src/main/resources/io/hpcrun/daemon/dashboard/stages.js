// Percentiles of stages over time, and for each image, partition or mode.

import { ask, listOf } from './api.js';
import { el, own, viewLink } from './dom.js';
import { percentileChart } from './chart.js';
import { countOr, durationOr, duration, number, text } from './format.js';
import { STAGES } from './figures.js';
import { filterForm, filtersOf } from './launches.js';
import { choice, paged, table } from './parts.js';

const GROUPS = [['day', 'day'], ['image', 'image'], ['partition', 'partition'], ['mode', 'how ranks entered'], ['none', 'all together']];
const FILTERS = ['user', 'image', 'partition', 'node', 'mode', 'since', 'until'];
const MOST_POINTS = 366;
const PAGE = 50;

/** The view. */
export async function stages({ query, signal, me, say }) {
  const group = GROUPS.some(([name]) => name === query.get('group')) ? query.get('group') : 'day';
  const stage = STAGES.has(query.get('stage')) ? query.get('stage') : 'spawn';
  const answer = await ask('/v1/stages', { ...filtersOf(query), group }, signal);
  const rows = listOf(answer, 'groups')
    .map((each) => ({ name: each.group, launches: each.launches, summary: own(own(each, 'stages'), stage) }))
    .filter((each) => each.summary);
  if (group === 'day') {
    rows.sort((a, b) => (text(a.name) < text(b.name) ? -1 : 1));
  } else {
    rows.sort((a, b) => (number(b.summary.p95_ns) ?? 0) - (number(a.summary.p95_ns) ?? 0));
  }
  return {
    title: 'Stages over time',
    summary: `${rows.length} rows for ${stage}`,
    content: [
      filterForm(query, me, FILTERS, [
        choice('stage', 'Stage', [...STAGES.keys()].map((name) => [name, name]), stage),
        choice('group', 'For each', GROUPS, group),
      ]),
      el('p', {}, el('strong', {}, stage), `: ${STAGES.get(stage)}.`),
      rows.length === 0 ? el('p', { class: 'nothing' }, 'This stage was not measured in any launch that fits.') : null,
      group === 'day' && rows.length > 0 ? chart(rows, stage) : null,
      rows.length === 0 ? null : figures(group === 'day' ? rows.toReversed() : rows, group, stage, say),
    ],
  };
}

function chart(rows, stage) {
  const shown = rows.slice(-MOST_POINTS);
  const points = shown.map((each) => ({
    words: text(each.name),
    median: number(each.summary.median_ns),
    p95: number(each.summary.p95_ns),
  }));
  const first = points[0];
  const last = points.at(-1);
  return percentileChart(
    points,
    `${stage} by day, from ${first.words} (median ${duration(first.median)}, 95 % ${duration(first.p95)}) to `
      + `${last.words} (median ${duration(last.median)}, 95 % ${duration(last.p95)}); the table below has all figures`,
  );
}

function figures(rows, group, stage, say) {
  const figure = (title, member) => ({ title, numeric: true, cell: ({ summary }) => durationOr(summary[member]) });
  const columns = [
    { title: GROUPS.find(([name]) => name === group)[1], head: true, cell: ({ name }) => named(group, name) },
    { title: 'Launches', numeric: true, cell: ({ launches }) => countOr(launches) },
    { title: 'Count', numeric: true, cell: ({ summary }) => countOr(summary.count) },
    figure('Median', 'median_ns'),
    figure('95 %', 'p95_ns'),
    figure('Most', 'max_ns'),
  ];
  return paged('figures', 'Rows', rows.length, PAGE,
    (from, to) => table(`${stage}, for each ${columns[0].title}`, columns, rows.slice(from, to)), say);
}

/** The name of a group, as a link to its launches where there is a filter for it. */
function named(group, name) {
  const words = text(name) || '(none)';
  if (!text(name)) {
    return words;
  }
  if (group === 'image' || group === 'partition' || group === 'mode') {
    return viewLink(['launches'], { [group]: name }, {}, words);
  }
  const day = group === 'day' ? Date.parse(`${words}T00:00:00Z`) / 1000 : NaN;
  return Number.isNaN(day) ? words : viewLink(['launches'], { since: day, until: day + 86_400 }, {}, words);
}
