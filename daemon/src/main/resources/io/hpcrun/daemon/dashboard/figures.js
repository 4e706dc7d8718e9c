// Stages, and the rules by which ranks and nodes are called slow. Pure: no document, no requests.

import { own } from './dom.js';
import { number } from './format.js';

/** The stages in their order, and from when to when they are (docs/records.md). */
export const STAGES = new Map([
  ['queue', 'submission to the start of the job'],
  ['script', 'start of the job until the script asks for the nodes'],
  ['prepare', 'the nodes are asked until all have answered'],
  ['check', 'a node checks itself'],
  ['stage', 'the image comes to the node'],
  ['hold', 'the node starts its container'],
  ['enter', 'a probe enters the container'],
  ['spawn', 'the launch step is asked for until a rank begins'],
  ['bind', 'a rank begins until it enters'],
  ['run', 'a rank enters until it has ended'],
  ['leave', 'the last rank has ended until the step is over'],
  ['teardown', 'the node closes its container'],
]);

/** With fewer ranks than this the 95th percentile is the slowest one itself. */
const FEW = 20;
/** What a straggler must lose at least. */
const LEAST_NS = 100e6;

/** The rule for ranks in words. */
export const STRAGGLER_RULE =
  'A rank is a straggler if its spawn or run lies beyond the median of all ranks of the launch by more than '
  + '3 × (95th percentile − median), by more than 100 ms, and by more than the figure may be off. '
  + `With fewer than ${FEW} ranks: by more than the median itself.`;

/** Beyond which a rank of this stage is a straggler; undefined if that cannot be told. */
export function stragglerLimit(summary) {
  const median = number(summary?.median_ns);
  const p95 = number(summary?.p95_ns);
  const count = number(summary?.count);
  if (median === undefined || p95 === undefined || count === undefined || count < 2) {
    return undefined;
  }
  const spread = count < FEW ? median : 3 * (p95 - median);
  return median + Math.max(spread, LEAST_NS, number(summary.uncertainty_ns) ?? 0);
}

/** Where the stages of a launch make a rank a straggler. */
export function stragglerLimits(stages) {
  return Object.fromEntries(['spawn', 'run'].map((stage) => [stage, stragglerLimit(own(stages, stage))]));
}

/** How far beyond its limits a rank is: {spawn: ns, run: ns}, only for those it is beyond. */
export function excess(limits, durations) {
  return Object.fromEntries(
    Object.entries(limits)
      .map(([stage, limit]) => [stage, (durations[stage] ?? NaN) - limit])
      .filter(([, beyond]) => beyond > 0),
  );
}

/**
 * A rank's durations; those that were not measured, or for which two clocks disagree, are absent. From the daemon: a
 * difference of times since the epoch would be off by hundreds of nanoseconds here.
 */
export function rankDurations(rank) {
  const stages = own(rank, 'stages_ns') ?? {};
  return Object.fromEntries(RANK_STAGES.map((stage) => [stage, number(own(stages, stage))]));
}

const RANK_STAGES = ['spawn', 'bind', 'run'];

/** The stages in which nodes are compared. */
export const NODE_STAGES = ['hold', 'spawn', 'enter'];
const FACTOR = 1.5;
const DEVIATIONS = 5;
const LEAST_NODE_NS = 20e6;
const LEAST_LAUNCHES = 3;
const LEAST_NODES = 4;

/** The rule for nodes in words. */
export const SLOW_NODE_RULE =
  `A node is slow in a stage if its median is more than ${FACTOR} × the median of all nodes' medians, more than 20 ms `
  + `beyond it, and more than ${DEVIATIONS} × the median deviation of nodes from it. That takes at least ${LEAST_NODES} nodes, and `
  + `${LEAST_LAUNCHES} launches on the node; with fewer it is marked “few launches”, because one slow start proves nothing.`;

/** The middle of some numbers; undefined for none. */
export function median(values) {
  const sorted = values.filter((each) => each !== undefined).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 || sorted.length === 0
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Which nodes are slow.
 *
 * @param groups the API's, one for each node
 * @returns {typical: {stage: ns}, nodes: [{node, launches, medians: {stage: ns}, factors: {stage: x},
 *     slow: [stage], few}]}, the slowest first
 */
export function slowNodesOf(groups) {
  const nodes = groups.map((group) => ({
    node: group.group,
    launches: number(group.launches),
    medians: Object.fromEntries(
      NODE_STAGES.map((stage) => [stage, number(own(own(group, 'stages'), stage)?.median_ns)]),
    ),
  }));
  const typical = {};
  const deviation = {};
  for (const stage of NODE_STAGES) {
    const all = nodes.map((each) => each.medians[stage]).filter((each) => each !== undefined);
    typical[stage] = median(all);
    deviation[stage] = all.length < LEAST_NODES ? Infinity : median(all.map((each) => Math.abs(each - typical[stage])));
  }
  for (const each of nodes) {
    each.factors = Object.fromEntries(
      NODE_STAGES.map((stage) => [stage, each.medians[stage] / typical[stage]]),
    );
    each.slow = NODE_STAGES.filter((stage) => {
      const beyond = each.medians[stage] - typical[stage];
      return each.medians[stage] > FACTOR * typical[stage] && beyond > LEAST_NODE_NS
        && beyond > DEVIATIONS * deviation[stage];
    });
    each.few = (each.launches ?? 0) < LEAST_LAUNCHES;
    each.worst = Math.max(0, ...Object.values(each.factors).filter(Number.isFinite));
  }
  const weight = (each) => (each.slow.length === 0 ? 0 : each.few ? 1 : 2);
  nodes.sort((a, b) => weight(b) - weight(a) || b.worst - a.worst);
  return { typical, nodes };
}

/** Round durations that divide 0..most into about `wanted` parts. */
export function ticks(most, wanted) {
  const steps = [1, 2, 5].flatMap((digit) => Array.from({ length: 9 }, (_, i) => digit * 10 ** i))
    .concat([10e9, 15e9, 30e9, 60e9, 120e9, 300e9, 600e9, 1800e9, 3600e9, 7200e9, 21600e9, 43200e9, 86400e9]).sort((a, b) => a - b);
  const step = steps.find((each) => most / each <= wanted) ?? most / wanted;
  const all = [];
  for (let at = 0; at <= most && all.length <= wanted + 1; at += step) {
    all.push(at);
  }
  return all;
}
