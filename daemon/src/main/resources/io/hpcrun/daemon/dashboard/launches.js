// Launches now and before, newest first.

import { ask, listOf } from './api.js';
import { el, reconcile, viewAddress, viewLink } from './dom.js';
import { countOr, duration, fieldOfSeconds, moment, number, secondsOfField, text, textOr } from './format.js';
import { choice, field, imageName, modeOf, stateOf, table, tableRow } from './parts.js';

const PAGE = 100;
export const FILTERS = ['user', 'cluster', 'image', 'partition', 'node', 'mode', 'state', 'job', 'since', 'until'];
const STATES = [['', 'any'], ['running', 'running'], ['ended', 'ended'], ['refused', 'refused'], ['unknown', 'unknown']];

const COLUMNS = [
  {
    title: 'Launch',
    head: true,
    cell: (each) => viewLink(['launches', text(each.id)], {}, {}, text(each.launch) || `job ${text(each.job)}`),
  },
  { title: 'State', cell: stateOf },
  { title: 'User', cell: (each) => textOr(each.user ?? each.uid) },
  { title: 'Image', cell: (each) => el('span', { title: text(each.image_source ?? each.image) }, imageName(each) || textOr(undefined)) },
  { title: 'Command', cell: (each) => textOr(each.command) },
  { title: 'Nodes', numeric: true, cell: (each) => countOr(each.nodes) },
  { title: 'Ranks', numeric: true, cell: (each) => countOr(each.ranks) },
  { title: 'Partition', cell: (each) => textOr(each.partition) },
  { title: 'Mode', cell: (each) => modeOf(each) || textOr(undefined) },
  { title: 'Began', cell: (each) => moment(each.begun_ns) },
  { title: 'Took', numeric: true, cell: took },
];

function took(launch) {
  const begun = number(launch.begun_ns);
  const ended = number(launch.ended_ns);
  if (begun === undefined || (ended === undefined && launch.state !== 'running')) {
    return textOr(undefined);
  }
  const until = ended ?? Date.now() * 1e6;
  return until < begun ? textOr(undefined) : duration(until - begun) + (ended === undefined ? ' so far' : '');
}

/** The filters of an address, as the API's parameters. */
export function filtersOf(query) {
  return Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? '']));
}

/** A form of filters; `go` gets the API's parameters. */
export function filterForm(query, me, names, extra = []) {
  const now = filtersOf(query);
  const fields = {
    user: () => me.operator === true && field('user', 'User', now.user),
    cluster: () => field('cluster', 'Cluster', now.cluster),
    image: () => field('image', 'Image', now.image),
    partition: () => field('partition', 'Partition', now.partition),
    node: () => field('node', 'Node', now.node),
    mode: () => field('mode', 'How ranks entered', now.mode),
    job: () => field('job', 'Job', now.job),
    state: () => choice('state', 'State', STATES, now.state),
    since: () => field('since', 'From', fieldOfSeconds(now.since), { type: 'datetime-local' }),
    until: () => field('until', 'To', fieldOfSeconds(now.until), { type: 'datetime-local' }),
  };
  const address = location.hash.slice(2).split('?')[0];
  const form = el(
    'form',
    {
      class: 'filters',
      'aria-label': 'Filters',
      submit: (event) => {
        event.preventDefault();
        const wanted = Object.fromEntries(new FormData(form));
        for (const name of ['since', 'until']) {
          if (name in wanted) {
            wanted[name] = secondsOfField(wanted[name]);
          }
        }
        location.hash = viewAddress([address], wanted);
      },
    },
    extra,
    names.map((name) => fields[name]()).filter(Boolean),
    el('p', { class: 'field' }, el('button', { id: 'apply' }, 'Apply')),
    el('p', { class: 'field' }, viewLink([address], {}, { id: 'clear', class: 'button' }, 'Clear')),
  );
  return form;
}

/** The view. */
export async function launches({ query, signal, me }) {
  const after = query.get('after') ?? '';
  const fetchPage = (by) => ask('/v1/launches', { ...filtersOf(query), limit: PAGE, after }, by);
  const first = await fetchPage(signal);
  const rows = new Map();
  const holder = table(after ? 'Older launches' : 'Launches, newest first', COLUMNS, []);
  const body = holder.tBodies[0];
  const nothing = el('p', { class: 'nothing' });
  const pager = el('p', { class: 'pager' });
  const updated = el('span', {});
  const live = el('input', { type: 'checkbox', id: 'live', checked: true });

  const show = (page) => {
    const list = listOf(page, 'launches');
    let added = 0;
    for (const each of list) {
      const id = text(each.id);
      const row = rows.get(id);
      if (row === undefined) {
        rows.set(id, tableRow(COLUMNS, each));
        added++;
      } else {
        update(row, each);
      }
    }
    reconcile(body, list.map((each) => rows.get(text(each.id))));
    holder.hidden = body.rows.length === 0;
    nothing.textContent = list.length > 0
      ? ''
      : 'No launches here: none was recorded, or none fits the filters, or they are not yours.';
    showPager(pager, query, after, page.next);
    updated.replaceChildren(moment(Date.now() * 1e6));
    return added;
  };
  show(first);
  const shown = () => `${listOf(first, 'launches').length} launches shown`;
  return {
    title: 'Launches',
    summary: shown(),
    content: [
      filterForm(query, me, FILTERS),
      el('p', { class: 'live' }, el('label', { for: 'live' }, live, ' refresh every 10 s'), ' · as of ', updated),
      holder,
      nothing,
      pager,
    ],
    refresh: async (by, asked) => {
      if (!live.checked && !asked) {
        return '';
      }
      const added = show(await fetchPage(by));
      return added > 0 ? `${added} new ${added === 1 ? 'launch' : 'launches'}` : '';
    },
  };
}

/** Draws a row's cells anew, but for the first: its link may have the focus, and never changes. */
function update(row, launch) {
  COLUMNS.slice(1).forEach((column, i) => {
    const cell = row.cells[i + 1];
    const made = column.cell(launch);
    const element = made instanceof Node ? made : document.createTextNode(made);
    if (!cell.firstChild?.isEqualNode(element)) {
      cell.replaceChildren(element);
    }
  });
}

function showPager(pager, query, after, next) {
  const filters = filtersOf(query);
  const wanted = [
    after ? viewLink(['launches'], filters, { id: 'newest', class: 'button' }, 'Newest') : null,
    next ? viewLink(['launches'], { ...filters, after: next }, { id: 'older', class: 'button' }, 'Older launches') : null,
  ].filter(Boolean);
  const unchanged = pager.children.length === wanted.length
    && wanted.every((each, i) => pager.children[i].isEqualNode(each));
  if (!unchanged && !pager.contains(document.activeElement)) {
    pager.replaceChildren(...wanted);
  }
}
