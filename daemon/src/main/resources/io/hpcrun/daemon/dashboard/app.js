// Routes addresses to views, and holds what all views share: keys, colours, who asks, refreshing.

import { ask, dropToken, hasToken, Problem, takeToken } from './api.js';
import { el } from './dom.js';
import { text } from './format.js';
import { images } from './images.js';
import { launch } from './launch.js';
import { launches } from './launches.js';
import { nodeRanks } from './ranks.js';
import { problemBox } from './parts.js';
import { slowNodes } from './slownodes.js';
import { stages } from './stages.js';

const REFRESH_MS = 10_000;
const THEMES = ['system', 'light', 'dark'];

/** Paths, the view that each shows, and the link of the navigation that it belongs to. */
const ROUTES = [
  { path: /^\/launches$/, view: launches, nav: 'nav-launches' },
  { path: /^\/launches\/([^/]+)$/, view: launch, nav: 'nav-launches' },
  { path: /^\/launches\/([^/]+)\/nodes\/([^/]+)$/, view: nodeRanks, nav: 'nav-launches' },
  { path: /^\/stages$/, view: stages, nav: 'nav-stages' },
  { path: /^\/nodes$/, view: slowNodes, nav: 'nav-nodes' },
  { path: /^\/images$/, view: images, nav: 'nav-images' },
];

const main = document.getElementById('main');
let me = null;
let leaving = new AbortController();
let shownPath = null;
let refresh = null;
let refreshing = false;

/** Tells screen readers, without moving the focus. */
function say(words) {
  const said = document.getElementById('said');
  said.textContent = '';
  said.textContent = words;
}

/** Shows the view of the address. */
async function route() {
  const address = location.hash || '#/launches';
  const [path, search] = split(address.slice(1));
  if (!path.startsWith('/')) {
    return; // a place within the page
  }
  leaving.abort();
  const leave = new AbortController();
  leaving = leave;
  refresh = null;
  const samePath = shownPath === path;
  const focused = main.contains(document.activeElement) ? document.activeElement.id : '';
  main.setAttribute('aria-busy', 'true');
  const shown = await view(path, new URLSearchParams(search), leave.signal);
  if (leave.signal.aborted) {
    return;
  }
  main.replaceChildren(el('h1', { tabindex: '-1' }, shown.title), ...shown.content.flat(Infinity).filter(Boolean));
  document.title = `${shown.title} · hpcrun`;
  markNavigation(shown.nav);
  refresh = shown.refresh ?? null;
  if (shownPath !== null) {
    const back = samePath && focused ? document.getElementById(focused) : null;
    (back ?? main.querySelector('h1')).focus();
  }
  if (samePath && shown.summary) {
    say(shown.summary);
  }
  shownPath = path;
  main.dataset.address = address;
  main.setAttribute('aria-busy', 'false');
}

function split(address) {
  const mark = address.indexOf('?');
  return mark < 0 ? [address, ''] : [address.slice(0, mark), address.slice(mark + 1)];
}

async function view(path, query, signal) {
  const found = ROUTES.find((each) => each.path.test(path));
  try {
    if (!found) {
      throw new Problem(404, 'not found', `there is no view ${path}`, 'choose one above');
    }
    await learnWho(signal);
    const parts = path.match(found.path).slice(1).map(decodeURIComponent);
    const shown = await found.view({ parts, query, signal, me, say });
    return { ...shown, nav: found.nav };
  } catch (failed) {
    if (signal.aborted) {
      return { title: '', content: [] };
    }
    return { ...explained(failed), nav: found?.nav };
  }
}

async function learnWho(signal) {
  if (me === null) {
    me = await ask('/v1/me', {}, signal);
    document.getElementById('who').textContent =
      text(me.user) + (me.operator === true ? ' (operator: sees all launches)' : '');
  }
}

function explained(failed) {
  if (failed instanceof Problem && failed.status === 401) {
    const had = hasToken();
    dropToken();
    me = null;
    return {
      title: 'Sign in',
      content: [
        el('p', {}, had
          ? 'The token of this page is not valid any more; tokens end by themselves after a while.'
          : 'This page shows your launches, so hpcrund has to know who you are.'),
        el('p', {}, 'On a login node, run'),
        el('pre', {}, 'hpcrun dashboard'),
        el('p', {}, 'and open the address that it prints. The address carries a token: who has it sees what you may see, until it ends. It is kept in this tab only.'),
        el('p', {}, el('button', { type: 'button', id: 'retry', click: route }, 'Try again')),
      ],
    };
  }
  const problem = failed instanceof Problem || failed instanceof URIError
    ? failed
    : new Problem(0, 'defect', `this page failed: ${failed}`, 'reload it, and report this');
  if (problem.title === 'defect') {
    console.error(failed);
  }
  return { title: 'Not possible', content: [problemBox(problem, route)] };
}

function markNavigation(id) {
  for (const link of document.querySelectorAll('nav a')) {
    if (link.id === id) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
}

/** Has the view fetch its data anew; a view that cannot do so in place is shown anew. */
async function refreshNow(asked) {
  if (refreshing || main.getAttribute('aria-busy') === 'true') {
    return;
  }
  if (refresh === null) {
    if (asked) {
      await route();
    }
    return;
  }
  refreshing = true;
  const signal = leaving.signal;
  try {
    const news = await refresh(signal, asked);
    if (news === null) {
      await route();
    } else if (news || asked) {
      say(news || 'Refreshed, nothing new');
    }
  } catch (failed) {
    if (!signal.aborted) {
      if (failed instanceof Problem && failed.status !== 401) {
        say(`Not refreshed: ${text(failed.detail)}`);
      } else {
        await route(); // it tells what is wrong
      }
    }
  } finally {
    refreshing = false;
  }
}

function useTheme(theme) {
  const button = document.getElementById('theme');
  if (theme === 'system') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  keep('hpcrun.theme', theme);
  button.textContent = `Colours: ${theme === 'system' ? 'as the system' : theme}`;
}

function nextTheme() {
  const now = document.documentElement.dataset.theme ?? 'system';
  useTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
  say(document.getElementById('theme').textContent);
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing for pages: it holds until the page is left.
  }
}

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function onKey(event) {
  const help = document.getElementById('help');
  const typing = event.target.closest('input:not([type=checkbox], [type=radio]), select');
  if (event.ctrlKey || event.metaKey || event.altKey || typing || help.open
    || !document.getElementById('keys-on').checked) {
    return;
  }
  const actions = {
    1: () => { location.hash = '#/launches'; },
    2: () => { location.hash = '#/stages'; },
    3: () => { location.hash = '#/nodes'; },
    4: () => { location.hash = '#/images'; },
    '/': () => main.querySelector('form input, form select')?.focus(),
    r: () => refreshNow(true),
    t: nextTheme,
    '?': () => help.showModal(),
  };
  if (Object.hasOwn(actions, event.key)) {
    event.preventDefault();
    actions[event.key]();
  }
}

function start() {
  takeToken();
  useTheme(document.documentElement.dataset.theme ?? 'system');
  document.getElementById('theme').addEventListener('click', nextTheme);
  document.getElementById('help-open').addEventListener('click', () => document.getElementById('help').showModal());
  const keysOn = document.getElementById('keys-on');
  keysOn.checked = kept('hpcrun.keys') !== 'off';
  keysOn.addEventListener('change', () => keep('hpcrun.keys', keysOn.checked ? 'on' : 'off'));
  document.getElementById('skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  document.getElementById('zone').textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.addEventListener('keydown', onKey);
  window.addEventListener('hashchange', () => {
    takeToken();
    route();
  });
  setInterval(() => {
    if (document.visibilityState === 'visible' && refresh !== null) {
      refreshNow(false);
    }
  }, REFRESH_MS);
  route();
}

start();
