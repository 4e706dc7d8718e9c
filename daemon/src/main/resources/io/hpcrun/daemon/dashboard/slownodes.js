// Nodes that start launches slower than the others do.

import { ask, listOf } from './api.js';
import { el, viewLink } from './dom.js';
import { countOr, duration, durationOr, number, text } from './format.js';
import { NODE_STAGES, SLOW_NODE_RULE, slowNodesOf } from './figures.js';
import { filterForm, filtersOf } from './launches.js';
import { badge, paged, table } from './parts.js';

const FILTERS = ['user', 'image', 'partition', 'since', 'until'];
const PAGE = 50;

/** The view. */
export async function slowNodes({ query, signal, me, say }) {
  const answer = await ask('/v1/stages', { ...filtersOf(query), group: 'node' }, signal);
  const { typical, nodes } = slowNodesOf(listOf(answer, 'groups'));
  const slow = nodes.filter((each) => each.slow.length > 0 && !each.few).length;
  const summary = `${slow} of ${nodes.length} nodes ${slow === 1 ? 'is' : 'are'} slow`;
  return {
    title: 'Slow nodes',
    summary,
    content: [
      filterForm(query, me, FILTERS),
      el('p', {}, el('strong', {}, `${summary}.`), ' Typical: ',
        NODE_STAGES.filter((stage) => typical[stage] !== undefined)
          .map((stage) => `${stage} ${duration(typical[stage])}`).join(', ') || 'nothing was measured', '.'),
      el('details', {}, el('summary', {}, 'When a node is slow'), el('p', {}, SLOW_NODE_RULE),
        el('p', {}, 'Large images and staging make hold slow on every node that got them: choose one image to compare like with like.')),
      nodes.length === 0
        ? el('p', { class: 'nothing' }, 'No launch that fits has left figures of nodes.')
        : paged('slow', 'Nodes', nodes.length, PAGE,
            (from, to) => table('Nodes, slow ones first', columns(), nodes.slice(from, to)), say),
    ],
  };
}

function columns() {
  return [
    { title: 'Node', head: true, cell: ({ node }) => viewLink(['launches'], { node }, {}, text(node) || '(none)') },
    { title: 'Mark', cell: markOf },
    { title: 'Rests on launches', numeric: true, cell: ({ launches }) => countOr(launches) },
    ...NODE_STAGES.map((stage) => ({
      title: `${stage}, median`,
      numeric: true,
      cell: ({ medians, factors }) =>
        number(medians[stage]) === undefined
          ? durationOr(undefined)
          : duration(medians[stage]) + (Number.isFinite(factors[stage]) ? ` (${factors[stage].toFixed(1)} ×)` : ''),
    })),
  ];
}

function markOf({ slow, few }) {
  if (slow.length === 0) {
    return '';
  }
  return few ? badge('plain', `few launches (${slow.join(', ')})`) : badge('bad', `slow (${slow.join(', ')})`);
}
