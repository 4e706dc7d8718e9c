// The ranks of a node, stragglers first.

import { ask, askAll, listOf } from './api.js';
import { el, own, viewLink } from './dom.js';
import { barRow, legend, patterns, scale, spanChoice, timeAxis } from './chart.js';
import { countOr, duration, durationOr, number, text } from './format.js';
import { excess, rankDurations, STRAGGLER_RULE, stragglerLimits } from './figures.js';
import { badge, facts, paged, table } from './parts.js';

const PAGE = 64;
const MOST = 4096;

/** The view. */
export async function nodeRanks({ parts, signal, say }) {
  const [id, node] = parts;
  const path = `/v1/launches/${encodeURIComponent(id)}`;
  const [known, its, ranks] = await Promise.all([
    ask(path, {}, signal),
    ask(`${path}/nodes`, { node, limit: 1 }, signal),
    askAll(`${path}/ranks`, 'ranks', { node }, signal, MOST),
  ]);
  const record = own(known, 'record') ?? {};
  const limits = stragglerLimits(own(known, 'stages'));
  const rows = ranks
    .filter((rank) => rank.node === undefined || rank.node === node)
    .map((rank) => {
      const durations = rankDurations(rank);
      return { rank, durations, beyond: excess(limits, durations) };
    });
  const loss = (row) => Math.max(0, ...Object.values(row.beyond));
  rows.sort((a, b) => loss(b) - loss(a) || (a.rank.rank ?? 0) - (b.rank.rank ?? 0));
  const slow = rows.filter((row) => loss(row) > 0).length;
  return {
    title: `Ranks on ${text(node)}`,
    content: [
      el('p', {}, viewLink(['launches', id], {}, { id: 'up' }, `Launch ${text(own(known, 'launch')?.launch) || text(id)}`)),
      nodeFacts(listOf(its, 'nodes').find((each) => each.node === node)),
      el('p', {}, rows.length === 0
        ? 'No rank of this node was recorded.'
        : `${rows.length} ranks, ${slow} ${slow === 1 ? 'straggler' : 'stragglers'}${slow > 0 ? ', listed first' : ''}.`
          + (ranks.length >= MOST ? ` Only the first ${MOST} were read.` : '')),
      el('details', {}, el('summary', {}, 'When a rank is a straggler'), el('p', {}, STRAGGLER_RULE),
        el('p', {}, Object.entries(limits).map(([stage, limit]) => `Here: ${stage} beyond ${duration(limit) || '(not measured)'}. `))),
      patterns(),
      rows.length > 0 ? legend(['spawn', 'bind', 'run']) : null,
      rows.length > 0 ? rankTables(rows, record, say) : null,
    ],
  };
}

function nodeFacts(node) {
  const its = own(node, 'record') ?? {};
  return facts([
    ['How ranks entered', text(its.mode)],
    ['Why so', text(its.mode_reason)],
    ['Runtime', text(its.runtime)],
    ['Image from', text(its.image_from)],
    ['RDMA ports up', text(its.rdma_ports)],
    ['Ends are seen every', duration(its.end_resolution_ns)],
    ['Ranks alive when the launch was over', its.ranks_alive ? text(its.ranks_alive) : ''],
  ]);
}

/** The ranks' table, and the choice of what part of the launch its bars show. */
function rankTables(rows, record, say) {
  const holder = el('div', {});
  const draw = (whole) => holder.replaceChildren(...rankTable(rows, record, whole, say));
  draw(false);
  return [spanChoice(draw, say), holder];
}

function rankTable(rows, record, whole, say) {
  const times = (...names) => rows.flatMap(({ rank }) => names.map((name) => number(rank[name])))
    .filter((each) => each !== undefined);
  const asked = number(record.launch_asked_ns);
  const from = Math.min(asked ?? Infinity, ...times('begin_ns', 'exec_ns', 'end_ns'));
  const begun = Math.max(from, ...times('begin_ns', 'exec_ns'));
  const end = whole || begun === from
    ? Math.max(from + 1, ...times('begin_ns', 'exec_ns', 'end_ns'))
    : begun + (begun - from) * 0.08;
  const columns = [
    { title: 'Rank', head: true, numeric: true, cell: ({ rank }) => countOr(rank.rank) },
    {
      title: 'Mark',
      cell: ({ beyond }) => Object.entries(beyond).map(([stage, ns]) =>
        badge('bad', `straggler: ${stage} ${duration(ns)} beyond the limit`)),
    },
    { title: 'On the node', numeric: true, cell: ({ rank }) => countOr(rank.local) },
    { title: 'spawn', numeric: true, cell: ({ durations }) => durationOr(durations.spawn) },
    { title: 'bind', numeric: true, cell: ({ durations }) => durationOr(durations.bind) },
    { title: 'run', numeric: true, cell: ({ durations }) => durationOr(durations.run) },
    { title: 'Network', cell: ({ rank }) => text(rank.network) },
  ];
  if (Number.isFinite(from)) {
    const x = scale(from, end);
    columns.push({
      title: timeAxis(end - from),
      label: 'Timeline',
      wide: true,
      cell: ({ rank, durations }) => barRow(
        [['spawn', record.launch_asked_ns, rank.begin_ns], ['bind', rank.begin_ns, rank.exec_ns], ['run', rank.exec_ns, rank.end_ns]]
          .filter(([kind]) => durations[kind] !== undefined)
          .map(([kind, begin, until]) => ({ kind, from: begin, to: until, lane: 0, words: `${kind}: ${duration(until - begin)}` })),
        [], x, end,
        Object.entries(durations).filter(([, ns]) => ns !== undefined).map(([kind, ns]) => `${kind} ${duration(ns)}`).join(', ')),
    });
  }
  return paged('ranks', 'Ranks', rows.length, PAGE,
    (first, last) => table('Ranks of this node, stragglers first', columns, rows.slice(first, last)), say);
}
