// What several views are made of.

import { el } from './dom.js';
import { baseName, text } from './format.js';

/**
 * A table with headings for screen readers, and for each cell its heading as a label where the page
 * is narrow and rows are shown as cards.
 *
 * @param caption what the table holds
 * @param columns {title, cell(row), numeric, head}: one of them is the row's heading
 * @param rows what cells are made of
 */
export function table(caption, columns, rows) {
  const body = el('tbody', { role: 'rowgroup' }, rows.map((row) => tableRow(columns, row)));
  return el(
    'table',
    { role: 'table', class: 'cards' },
    el('caption', {}, caption),
    el(
      'thead',
      { role: 'rowgroup' },
      el(
        'tr',
        { role: 'row' },
        columns.map((column) =>
          el(
            'th',
            { scope: 'col', role: 'columnheader', class: column.numeric ? 'number' : undefined },
            column.title,
          ),
        ),
      ),
    ),
    body,
  );
}

/** One row of such a table. */
export function tableRow(columns, row) {
  return el(
    'tr',
    { role: 'row' },
    columns.map((column) =>
      el(
        column.head ? 'th' : 'td',
        {
          role: column.head ? 'rowheader' : 'cell',
          scope: column.head ? 'row' : undefined,
          class: [column.numeric ? 'number' : '', column.wide ? 'wide' : ''].join(' ').trim() || undefined,
          'data-label': column.label ?? column.title,
        },
        column.cell(row),
      ),
    ),
  );
}

/** Names and values; values that are '' are left out. */
export function facts(pairs) {
  return el(
    'dl',
    { class: 'facts' },
    pairs
      .filter(([, value]) => value !== '' && value !== undefined)
      .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
  );
}

/** What went wrong, and what to do. */
export function problemBox(problem, retry) {
  const status = problem.status ? ` (status ${problem.status})` : '';
  return el(
    'section',
    { class: 'problem', role: 'alert' },
    el('h2', {}, `Not possible: ${text(problem.title) || 'error'}${status}`),
    el('p', {}, text(problem.detail ?? problem.message) || 'hpcrund gave no reason.'),
    problem.remedy ? el('p', {}, el('strong', {}, 'What to do: '), text(problem.remedy)) : null,
    retry ? el('p', {}, el('button', { type: 'button', id: 'retry', click: retry }, 'Try again')) : null,
  );
}

/** The state of a launch in words; the colour only repeats them. */
export function stateOf(launch) {
  const state = text(launch.state) || 'unknown';
  const exit = launch.exit;
  if (state === 'ended' && typeof exit === 'number') {
    return exit === 0
      ? badge('good', 'ended, exit 0')
      : badge('bad', `failed, exit ${text(exit)}`);
  }
  const slurm = text(launch.slurm_state);
  const ending = slurm && slurm !== 'COMPLETED' && slurm !== 'RUNNING' ? `, ${slurm.toLowerCase()}` : '';
  const kinds = { running: 'busy', refused: 'bad' };
  return badge(Object.hasOwn(kinds, state) ? kinds[state] : 'plain', state + ending);
}

/** The last part of an image's name: of the source, where hpcrund has pulled it; digests are cut short. */
export function imageName(launch) {
  return baseName(launch.image_source ?? launch.image).replace(/^([0-9a-f]{12})[0-9a-f]{52}\.sif$/, '$1….sif');
}

/** How the ranks of a launch entered; how they are meant to, while no node has told. */
export function modeOf(launch) {
  const planned = text(launch.planned_mode);
  return text(launch.mode) || (planned && `${planned} (planned)`);
}

/** A word in a frame. */
export function badge(kind, words) {
  return el('span', { class: `badge ${kind}` }, words);
}

/** A labelled field of a form; its name is the query's parameter. */
export function field(name, label, value, attributes = {}) {
  return el(
    'p',
    { class: 'field' },
    el('label', { for: `field-${name}` }, label),
    el('input', { id: `field-${name}`, name, value, autocomplete: 'off', spellcheck: 'false', ...attributes }),
  );
}

/** A labelled choice; options are [value, words]. */
export function choice(name, label, options, chosen, attributes = {}) {
  return el(
    'p',
    { class: 'field' },
    el('label', { for: `field-${name}` }, label),
    el(
      'select',
      { id: `field-${name}`, name, ...attributes },
      options.map(([value, words]) => el('option', { value, selected: value === chosen }, words)),
    ),
  );
}

/**
 * A list that is shown page by page here, although all of it is known.
 *
 * @param id of the section, for its buttons
 * @param what the rows are called
 * @param total how many rows
 * @param size rows on a page
 * @param draw gives the elements for rows from..to
 * @param say tells screen readers which page is shown
 */
export function paged(id, what, total, size, draw, say) {
  const holder = el('div', { class: 'page' });
  let page = 0;
  const last = Math.max(0, Math.ceil(total / size) - 1);
  const where = el('span', {});
  const button = (key, words, step) =>
    el(
      'button',
      {
        type: 'button',
        id: `${id}-${key}`,
        click: () => {
          const next = Math.min(last, Math.max(0, page + step));
          if (next !== page) {
            page = next;
            show();
            say(`${what} ${where.textContent}`);
          }
        },
      },
      words,
    );
  const back = button('back', 'Previous', -1);
  const on = button('on', 'Next', 1);
  const show = () => {
    const from = page * size;
    const to = Math.min(total, from + size);
    holder.replaceChildren(...[draw(from, to)].flat());
    where.textContent = `${from + 1}–${to} of ${total}`;
    back.setAttribute('aria-disabled', String(page === 0));
    on.setAttribute('aria-disabled', String(page === last));
  };
  show();
  return last === 0
    ? [holder]
    : [holder, el('p', { class: 'pager' }, back, ' ', el('span', {}, `${what} `, where), ' ', on)];
}
