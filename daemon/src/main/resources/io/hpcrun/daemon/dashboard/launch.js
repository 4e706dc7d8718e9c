// One launch: what it was, its stages, its nodes.

import { ask } from './api.js';
import { el, own, viewLink } from './dom.js';
import { bytes, count, countOr, duration, durationOr, moment, momentOfSeconds, number, roundDuration, text, textOr } from './format.js';
import { decades, spread } from './chart.js';
import { STAGES, STRAGGLER_RULE, stragglerLimits } from './figures.js';
import { badge, facts, modeOf, paged, stateOf, table } from './parts.js';
import { timeline } from './timeline.js';

const PAGE = 50;
const NODES_AT_ONCE = 1000;
const MOST_NODES = 20_000;
const NODE_FIGURES = ['check', 'stage', 'hold', 'enter', 'spawn', 'bind', 'run', 'teardown'];

/** The view. */
export async function launch({ parts, signal, say }) {
  const [id] = parts;
  let known = await withAllNodes(id, await ask(`/v1/launches/${encodeURIComponent(id)}`, {}, signal), signal);
  const about = el('div', {});
  const figures = el('div', {});
  const draw = () => {
    about.replaceChildren(...factsOf(known));
    figures.replaceChildren(stageTable(known));
  };
  draw();
  const its = own(known, 'launch') ?? {};
  return {
    title: `Launch ${text(its.launch) || text(id)}`,
    content: [
      about,
      el('h2', {}, 'Stages'),
      figures,
      el('h2', {}, 'Nodes'),
      await timeline(id, known, signal, say),
      ...nodeFigures(id, known, say),
    ],
    refresh: async (by, asked) => {
      if (asked) {
        return null; // all of it anew, the nodes too
      }
      if (its.state !== 'running') {
        return '';
      }
      known = await ask(`/v1/launches/${encodeURIComponent(id)}`, {}, by);
      const focused = document.activeElement;
      if (about.contains(focused) || figures.contains(focused)) {
        return ''; // drawn anew, it would lose the focus
      }
      draw();
      const state = own(known, 'launch')?.state;
      if (state !== its.state) {
        its.state = state;
        return `The launch is now ${text(state)}; press r for its nodes`;
      }
      return '';
    },
  };
}

/** The launch with the figures of its further nodes, which come in pages. */
async function withAllNodes(id, known, signal) {
  let measured = { ...own(known, 'nodes_measured') };
  let after = known.nodes_next;
  while (after && Object.keys(measured).length < MOST_NODES) {
    const page = await ask(`/v1/launches/${encodeURIComponent(id)}/stages`, { limit: NODES_AT_ONCE, after }, signal);
    measured = { ...measured, ...own(page, 'nodes_measured') };
    after = page.next;
  }
  return { ...known, nodes_measured: measured, nodes_next: after };
}

function factsOf(known) {
  const its = own(known, 'launch') ?? {};
  const record = own(known, 'record') ?? {};
  const networks = Object.entries(own(known, 'networks') ?? {})
    .map(([name, ranks]) => `${text(name)}: ${count(ranks)} ranks`)
    .join(', ');
  const sent = bytes(own(known, 'rdma_sent_bytes') ?? record.rdma_sent_bytes);
  const remarks = Array.isArray(known.remarks) ? known.remarks : [];
  return [
    facts([
      ['State', stateOf(its)],
      ['User', textOr(its.user ?? its.uid)],
      ['Cluster', textOr(its.cluster)],
      ['Job', textOr(its.job)],
      ['Partition', textOr(its.partition)],
      ['Image', textOr(its.image)],
      ['Image from', text(its.image_source)],
      ['Image id', text(its.image_id)],
      ['Command', textOr(its.command)],
      ['Nodes', countOr(its.nodes)],
      ['Ranks', countOr(its.ranks)],
      ['How ranks entered', modeOf(its)],
      ['MPI', text(its.mpi)],
      ['Batch node', text(its.batch_node)],
      ['Submitted', momentOfSeconds(its.submit_s)],
      ['Job started', momentOfSeconds(its.start_s)],
      ['Script began', moment(its.begun_ns)],
      ['Ended', moment(its.ended_ns)],
      ['Slurm says', text(its.slurm_state)],
      ['Networks', networks],
      ['Sent by RDMA ports', sent],
      ['hpcrun', text(record.hpcrun)],
    ]),
    remarks.length > 0
      ? el('section', { class: 'remarks' }, el('h2', {}, 'Remarks'), el('ul', {}, remarks.map((each) => el('li', {}, text(each)))))
      : null,
    el('details', {}, el('summary', { id: 'all-members' }, 'All that the record holds'), facts(members(record))),
  ].filter(Boolean);
}

function members(record) {
  return Object.entries(record).map(([name, value]) => [
    text(name),
    name.endsWith('_ns') && number(value) > 1e15
      ? moment(value, true)
      : name.endsWith('_s') && number(value) > 1e8
        ? momentOfSeconds(value)
        : name.endsWith('_ns') && number(value) !== undefined
          ? duration(value)
          : name.endsWith('_bytes') && number(value) !== undefined ? bytes(value) : textOr(value),
  ]);
}

/** The stages that were measured, in their order; others that an answer may hold come last. */
function measured(stages) {
  const names = Object.keys(stages ?? {});
  return [...STAGES.keys()].filter((name) => names.includes(name))
    .concat(names.filter((name) => !STAGES.has(name)))
    .map((name) => ({ name, summary: own(stages, name) ?? {} }));
}

function stageTable(known) {
  const rows = measured(own(known, 'stages'));
  if (rows.length === 0) {
    return el('p', { class: 'nothing' }, 'No stage was measured yet.');
  }
  const between = decades(rows.map((row) => row.summary));
  const figure = (title, member) => ({ title, numeric: true, cell: ({ summary }) => durationOr(summary[member]) });
  return table('How long each stage took, over all nodes and ranks', [
    {
      title: 'Stage',
      head: true,
      cell: ({ name }) => [text(name), el('span', { class: 'what' }, STAGES.get(name) ?? '')],
    },
    { title: 'Count', numeric: true, cell: ({ summary }) => countOr(summary.count) },
    figure('Least', 'min_ns'),
    figure('Median', 'median_ns'),
    figure('95 %', 'p95_ns'),
    figure('Most', 'max_ns'),
    { title: 'Off by up to', numeric: true, cell: ({ summary }) => (summary.uncertainty_ns ? `± ${duration(summary.uncertainty_ns)}` : '') },
    { title: 'Slowest', cell: ({ summary }) => slowest(summary) },
    ...(between === undefined ? [] : [{
      title: `Spread, ${roundDuration(10 ** between.from)} to ${roundDuration(10 ** between.to)}, logarithmic`,
      wide: true,
      cell: ({ summary }) => spread(summary, between),
    }]),
  ], rows);
}

function slowest(summary) {
  const node = text(summary.slowest_node);
  const rank = number(summary.slowest_rank);
  return node + (rank === undefined || rank < 0 ? '' : `${node ? ', ' : ''}rank ${rank}`);
}

/** Each node's figures, those with the slowest first; marks where stragglers are. */
function nodeFigures(id, known, say) {
  const limits = stragglerLimits(own(known, 'stages'));
  const nodes = Object.entries(own(known, 'nodes_measured') ?? {}).map(([node, stages]) => ({
    node,
    stages,
    stragglers: Object.keys(limits).filter((stage) => own(stages, stage)?.max_ns > limits[stage]),
  }));
  if (nodes.length === 0) {
    return [];
  }
  const present = NODE_FIGURES.filter((stage) => nodes.some((each) => own(each.stages, stage)));
  const holder = el('div', {});
  const columns = [
    { title: 'Node', head: true, cell: ({ node }) => viewLink(['launches', id, 'nodes', node], {}, {}, text(node)) },
    {
      title: 'Ranks to look at',
      cell: ({ stragglers }) => (stragglers.length > 0 ? badge('bad', `straggler (${stragglers.join(', ')})`) : ''),
    },
    ...present.map((stage) => ({
      title: ['spawn', 'bind', 'run'].includes(stage) ? `${stage}, slowest rank` : stage,
      numeric: true,
      cell: ({ stages }) => durationOr(own(stages, stage)?.max_ns),
    })),
  ];
  const order = el(
    'select',
    {
      id: 'node-order',
      change: () => {
        show();
        say(`Sorted by ${order.value}`);
      },
    },
    el('option', { value: 'stragglers' }, 'stragglers, then name'),
    present.map((stage) => el('option', { value: stage }, `slowest ${stage}`)),
  );
  const show = () => {
    const key = ({ stages, stragglers }) =>
      order.value === 'stragglers' ? stragglers.length : own(stages, order.value)?.max_ns ?? -1;
    const sorted = [...nodes].sort((a, b) => key(b) - key(a));
    holder.replaceChildren(
      ...paged('measured', 'Nodes', sorted.length, PAGE,
        (from, to) => table('How long each node took', columns, sorted.slice(from, to)), say),
    );
  };
  show();
  const found = nodes.filter((each) => each.stragglers.length > 0).length;
  return [
    el('h2', {}, 'Nodes compared'),
    el('p', {}, found === 0
      ? 'No rank is a straggler.'
      : `${found} ${found === 1 ? 'node has' : 'nodes have'} ranks that are stragglers; choose a node to see its ranks.`,
      known.nodes_next ? ` Only the first ${count(nodes.length)} nodes were read.` : ''),
    el('details', {}, el('summary', {}, 'When a rank is a straggler'), el('p', {}, STRAGGLER_RULE),
      el('p', {}, Object.entries(limits).map(([stage, limit]) => `Here: ${stage} beyond ${duration(limit) || '(not measured)'}. `))),
    el('p', { class: 'field' }, el('label', { for: 'node-order' }, 'First'), order),
    holder,
  ];
}
