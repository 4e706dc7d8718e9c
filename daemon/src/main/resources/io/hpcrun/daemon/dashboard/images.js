// The images that hpcrund keeps, and pulls of further ones.

import { ask, listOf, Problem } from './api.js';
import { el } from './dom.js';
import { bytes, duration, moment, momentOfSeconds, number, text, textOr } from './format.js';
import { facts, field, problemBox, table } from './parts.js';

const POLL_MS = 2000;
const OVER = ['done', 'failed', 'ready', 'ended', 'cancelled'];
/** Members in the order in which they are shown; others follow. */
const FIRST = ['source', 'name', 'path', 'state', 'size', 'size_bytes', 'digest'];

/** The view. */
export async function images({ signal, say }) {
  const holder = el('div', {});
  const show = (answer) => {
    const list = listOf(answer, 'images');
    holder.replaceChildren(
      list.length === 0
        ? el('p', { class: 'nothing' }, 'hpcrund keeps no image yet.')
        : table('Images that hpcrund keeps', columns(list), list),
    );
    return list.length;
  };
  const shown = show(await ask('/v1/images', {}, signal));
  const pulls = el('div', { 'aria-live': 'polite' });
  const reload = async (by) => show(await ask('/v1/images', {}, by));
  const form = el(
    'form',
    {
      class: 'filters',
      'aria-label': 'Pull an image',
      submit: (event) => {
        event.preventDefault();
        const source = new FormData(form).get('source').trim();
        if (source) {
          pull(source, pulls, signal, say, reload);
        }
      },
    },
    field('source', 'Pull an image, such as docker://debian:12', '', { required: true }),
    el('p', { class: 'field' }, el('button', { id: 'pull' }, 'Pull')),
  );
  return {
    title: 'Images',
    summary: `${shown} images`,
    content: [holder, el('h2', {}, 'Pull'), form, pulls],
    refresh: async (by, asked) => {
      if (asked) {
        await reload(by);
      }
      return '';
    },
  };
}

/** Columns for whatever members the images have. */
function columns(list) {
  const names = [...new Set(list.flatMap((each) => Object.keys(each)))];
  const order = [...FIRST.filter((name) => names.includes(name)), ...names.filter((name) => !FIRST.includes(name))].slice(0, 12);
  return order.map((name, i) => ({
    title: titleOf(name),
    head: i === 0,
    numeric: shownAs(name) === bytes,
    cell: (each) => member(name, each[name]),
  }));
}

function titleOf(name) {
  return text(name).slice(0, 40).replace(/_(s|ns|bytes)$/, '').replaceAll('_', ' ');
}

function shownAs(name) {
  return name === 'size' || name.endsWith('bytes') ? bytes : undefined;
}

function member(name, value) {
  const known = number(value);
  if (known === undefined) {
    return textOr(value);
  }
  if (shownAs(name) === bytes) {
    return bytes(value);
  }
  if (name.endsWith('_s')) {
    return known > 1e8 ? momentOfSeconds(value) : duration(known * 1e9);
  }
  if (name.endsWith('_ns')) {
    return known > 1e15 ? moment(value) : duration(value);
  }
  return text(value);
}

/** Asks for a pull and shows how it goes, until it is over or the view is left. */
async function pull(source, pulls, signal, say, reload) {
  const box = el('section', { class: 'pull' }, el('h3', {}, text(source)), el('p', {}, 'asked for'));
  pulls.prepend(box);
  const show = (answer) =>
    box.replaceChildren(el('h3', {}, text(source)), facts(Object.entries(answer).map(([name, value]) =>
      [titleOf(name), member(name, value)])));
  try {
    let answer = await ask('/v1/images', {}, signal, { source });
    show(answer);
    while (answer.id !== undefined && !OVER.includes(answer.state)) {
      await pause(signal);
      const next = await ask(`/v1/pulls/${encodeURIComponent(text(answer.id))}`, {}, signal);
      answer = { id: answer.id, ...next };
      show(answer);
    }
    await reload(signal);
    say(`Pull of ${text(source)}: ${text(answer.state) || 'over'}`);
  } catch (failed) {
    if (!signal.aborted) {
      box.replaceChildren(el('h3', {}, text(source)), problemBox(
        failed instanceof Problem ? failed : new Problem(0, 'defect', String(failed), 'reload this page, and report this')));
    }
  }
}

function pause(signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, POLL_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
