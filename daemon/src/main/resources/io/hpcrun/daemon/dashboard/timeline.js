// What each node did when: a page of nodes at a time, ranks as one bar for each of their stages.

import { ask, listOf } from './api.js';
import { el, own, viewLink } from './dom.js';
import { barRow, legend, patterns, scale, spanChoice, timeAxis } from './chart.js';
import { countOr, duration, number, text } from './format.js';
import { problemBox, table } from './parts.js';

const PAGE = 50;
const NODE_BARS = [['check', 'check'], ['stage', 'stage'], ['hold', 'hold'], ['enter', 'probe'], ['teardown', 'release']];

/** The section; it fetches further pages by itself. */
export async function timeline(id, known, signal, say) {
  const holder = el('div', {});
  const pager = el('p', { class: 'pager' });
  const record = own(known, 'record') ?? {};
  const cursors = [''];
  let at = 0;
  let page = { nodes: [] };
  let whole = false;

  const draw = () => {
    const nodes = listOf(page, 'nodes');
    holder.replaceChildren(
      ...(nodes.length === 0
        ? [el('p', { class: 'nothing' }, 'No node has left a record yet.')]
        : drawn(id, known, record, nodes, whole)),
    );
    back.setAttribute('aria-disabled', String(at === 0));
    on.setAttribute('aria-disabled', String(!page.next));
    pager.hidden = at === 0 && !page.next;
    where.textContent = nodes.length === 0 ? '' : `${text(nodes[0].node)} to ${text(nodes.at(-1).node)}`;
  };
  const load = async () => {
    page = await ask(`/v1/launches/${encodeURIComponent(id)}/nodes`, { limit: PAGE, after: cursors[at] }, signal);
    if (page.next) {
      cursors[at + 1] = page.next;
    }
    draw();
  };
  const turn = async (step) => {
    if (cursors[at + step] === undefined || (step > 0 && !page.next)) {
      return;
    }
    at += step;
    try {
      await load();
      say(`Timeline of ${where.textContent}`);
    } catch (failed) {
      if (!signal.aborted) {
        holder.replaceChildren(problemBox(failed));
      }
    }
  };
  const back = el('button', { type: 'button', id: 'timeline-back', click: () => turn(-1) }, 'Previous nodes');
  const on = el('button', { type: 'button', id: 'timeline-on', click: () => turn(1) }, 'Next nodes');
  const where = el('span', {});
  pager.append(back, ' ', where, ' ', on);
  await load();
  return el('section', { 'aria-label': 'Timeline' },
    patterns(),
    spanChoice((wanted) => {
      whole = wanted;
      draw();
    }, say),
    el('p', { class: 'what' }, 'Upper row: the node. Lower row: its ranks, each stage as long as the median of the node’s ranks; the thin line below reaches to the start of the slowest. The thin line below the upper row says how far the node’s clock may be off from the batch node’s.'),
    legend(['check', 'stage', 'hold', 'enter', 'teardown', 'spawn', 'bind', 'run']),
    holder,
    pager);
}

function drawn(id, known, record, nodes, whole) {
  const rows = nodes.map((node) => rowOf(node, known, record));
  const from = Math.min(
    number(record.prepare_asked_ns) ?? Infinity,
    ...rows.flatMap((row) => row.bars.map((bar) => bar.from)),
  );
  // The start is over when the ranks run; how long they do would leave no room to see it.
  const upTo = rows.flatMap((row) => [
    ...row.marks.map((mark) => mark.to),
    ...row.bars
      .filter((bar) => whole || bar.kind !== 'teardown')
      .map((bar) => (whole || bar.kind !== 'run' ? bar.to : bar.from)),
  ]);
  const last = Math.max(from, ...upTo);
  if (!Number.isFinite(from) || last <= from) {
    return [el('p', { class: 'nothing' }, 'No times were recorded.')];
  }
  const end = whole ? last : last + (last - from) * 0.08;
  const x = scale(from, end);
  return [
    table('When each node did what, from the question to the nodes on', [
      { title: 'Node', head: true, cell: ({ node }) => viewLink(['launches', id, 'nodes', node.node], {}, {}, text(node.node)) },
      { title: 'Ranks', numeric: true, cell: ({ node }) => countOr(node.ranks) },
      { title: 'Clock off by up to', numeric: true, cell: ({ uncertainty }) => (uncertainty ? `± ${duration(uncertainty)}` : '') },
      { title: timeAxis(end - from), label: 'Timeline', wide: true, cell: (row) => barRow(row.bars, row.marks, x, end, row.words) },
    ], rows),
  ];
}

/** The bars of a node: its own from its record, its ranks' from their medians. */
function rowOf(node, known, record) {
  const its = own(node, 'record') ?? {};
  const stages = own(own(known, 'nodes_measured'), text(node.node)) ?? {};
  const bars = [];
  const add = (kind, from, to, lane, words) => {
    if (from !== undefined && to !== undefined && to >= from) {
      bars.push({ kind, from, to, lane, words: `${words ?? kind}: ${duration(to - from)}` });
    }
  };
  for (const [kind, name] of NODE_BARS) {
    add(kind, number(its[`${name}_begin_ns`]), number(its[`${name}_end_ns`]), 0);
  }
  const asked = number(record.launch_asked_ns);
  const middle = (stage) => number(own(stages, stage)?.median_ns);
  const begun = asked === undefined || middle('spawn') === undefined ? undefined : asked + middle('spawn');
  const bound = begun === undefined ? undefined : begun + (middle('bind') ?? 0);
  const ended = bound === undefined || middle('run') === undefined ? undefined : bound + middle('run');
  add('spawn', asked, begun, 1, 'spawn, median of ranks');
  add('bind', begun, middle('bind') === undefined ? undefined : bound, 1, 'bind, median of ranks');
  add('run', bound, ended, 1, 'run, median of ranks');
  const uncertainty = number(own(stages, 'spawn')?.uncertainty_ns);
  const words = bars.map((bar) => bar.words).join('; ');
  const marks = [];
  const slowest = number(own(stages, 'spawn')?.max_ns);
  if (asked !== undefined && slowest !== undefined && begun !== undefined) {
    marks.push({ from: begun, to: asked + slowest, lane: 1, words: `the slowest rank began ${duration(slowest)} after it was asked for` });
  }
  const first = bars.find((bar) => bar.lane === 0);
  if (uncertainty && first) {
    marks.push({ from: first.from - uncertainty, to: first.from + uncertainty, lane: 0, words: `clock off by up to ${duration(uncertainty)}` });
  }
  return { node, bars, marks, uncertainty, words };
}
