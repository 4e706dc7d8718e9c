// The images that hpcrund keeps, and pulls of further ones.

import { ask, listOf, Problem } from './api.js';
import { el, own } from './dom.js';
import { baseName, bytes, duration, momentOfSeconds, number, text, textOr } from './format.js';
import { field, problemBox, table } from './parts.js';

const POLL_MS = 2000;
const FINAL = ['ready', 'failed'];

const COLUMNS = [
  { title: 'Source', head: true, cell: (each) => words(each.sources) || baseName(each.path) || textOr(undefined) },
  { title: 'Architecture', cell: (each) => textOr(each.architecture) },
  { title: 'Size', numeric: true, cell: (each) => bytes(each.size) || textOr(undefined) },
  { title: 'File', cell: (each) => textOr(each.path) },
  { title: 'Digest', cell: (each) => words(each.digests) || textOr(undefined) },
  { title: 'Came', cell: (each) => momentOfSeconds(each.pulled_s) },
  { title: 'Asked for by', cell: (each) => textOr(each.pulled_by) },
  { title: 'Last used', cell: (each) => momentOfSeconds(each.used_s) },
];

function words(list) {
  return Array.isArray(list) ? list.map(text).join(', ') : text(list);
}

/** The view. */
export async function images({ signal, say }) {
  const holder = el('div', {});
  const show = (answer) => {
    const list = listOf(answer, 'images');
    const size = bytes(answer.bytes);
    const quota = bytes(answer.quota_bytes);
    holder.replaceChildren(
      ...(size ? [el('p', {}, `${size}${quota ? ` of ${quota}` : ''} used; what was used least recently goes first.`)] : []),
      list.length === 0
        ? el('p', { class: 'nothing' }, 'hpcrund keeps no image yet.')
        : table('Images that hpcrund keeps, the most recently used first', COLUMNS, list),
    );
    return list.length;
  };
  const reload = async (by) => show(await ask('/v1/images', {}, by));
  let shown;
  try {
    shown = await reload(signal);
  } catch (failed) {
    if (failed instanceof Problem && failed.status === 404) {
      // A site without an image store is in order.
      return { title: 'Images', content: [el('p', { class: 'nothing' }, text(failed.detail)), el('p', {}, text(failed.remedy))] };
    }
    throw failed;
  }
  const pulls = el('div', {});
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

/** Asks for a pull and shows how it goes, until it is over or the view is left. */
async function pull(source, pulls, signal, say, reload) {
  const state = el('div', {}, el('p', {}, 'asked for'));
  const stop = el('button', { type: 'button' }, 'Do not wait for it');
  stop.hidden = true;
  pulls.prepend(el('section', { class: 'pull', 'aria-label': `Pull of ${text(source)}` }, el('h3', {}, text(source)), state, stop));
  let told = '';
  const show = (answer) => {
    state.replaceChildren(...described(answer));
    stop.hidden = FINAL.includes(answer.state);
    if (answer.state !== told) {
      told = answer.state;
      say(`${text(source)}: ${text(answer.message) || text(told)}`);
    }
  };
  try {
    let answer = await ask('/v1/images', {}, signal, { source });
    const path = `/v1/pulls/${encodeURIComponent(text(answer.id))}`;
    stop.addEventListener('click', async () => {
      try {
        show(await ask(`${path}/cancel`, {}, signal, {}));
      } catch (failed) {
        tell(failed, state, signal);
      }
    });
    show(answer);
    while (!FINAL.includes(answer.state)) {
      await pause(signal);
      answer = await ask(path, {}, signal);
      show(answer);
    }
    await reload(signal);
  } catch (failed) {
    stop.hidden = true;
    tell(failed, state, signal);
  }
}

function described(answer) {
  const progress = own(answer, 'progress') ?? {};
  const done = number(progress.done);
  const total = number(progress.total);
  const problem = own(answer, 'problem');
  return [
    el('p', {}, text(answer.message) || text(answer.state),
      number(answer.position) === undefined ? '' : `; number ${answer.position} of those that wait`),
    done === undefined ? '' : el('p', {},
      total === undefined ? '' : el('progress', { max: total, value: done, 'aria-label': 'Bytes' }),
      ` ${bytes(done)}${total === undefined ? '' : ` of ${bytes(total)}`}${progress.seconds ? `, ${duration(progress.seconds * 1e9)}` : ''}`),
    text(answer.path) ? el('p', {}, 'File: ', el('code', {}, text(answer.path))) : '',
    problem ? problemBox(problem) : '',
  ].filter(Boolean);
}

function tell(failed, state, signal) {
  if (!signal.aborted) {
    state.replaceChildren(problemBox(
      failed instanceof Problem ? failed : new Problem(0, 'defect', String(failed), 'reload this page, and report this')));
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
