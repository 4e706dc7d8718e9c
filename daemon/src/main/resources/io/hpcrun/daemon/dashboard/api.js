// Asks hpcrund. The token comes in the page's address, once, and stays in this tab.

const TOKEN = 'hpcrun.token';
const LIMIT_MS = 60_000;
const AGAIN_MS = 500;

/** What hpcrund answers when it cannot do what is asked (RFC 9457), or why there is no answer. */
export class Problem extends Error {
  constructor(status, title, detail, remedy) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.remedy = remedy;
  }
}

/** Takes the token out of the address (#token=...), where it would stay in the history. */
export function takeToken() {
  if (!location.hash.startsWith('#token=')) {
    return;
  }
  const given = new URLSearchParams(location.hash.slice(1));
  const token = given.get('token');
  const view = given.get('view') ?? '';
  history.replaceState(null, '', `${location.pathname}#${view.startsWith('/') ? view : '/launches'}`);
  if (token) {
    sessionStorage.setItem(TOKEN, token);
  }
}

/** Whether there is a token. */
export function hasToken() {
  return sessionStorage.getItem(TOKEN) !== null;
}

/** Forgets the token: hpcrund does not take it any more. */
export function dropToken() {
  sessionStorage.removeItem(TOKEN);
}

/**
 * An answer's JSON.
 *
 * @param path such as /v1/launches
 * @param query parameters; empty ones are left out
 * @param signal ends the request when the view is left
 * @param body sent by POST, if there is one
 * @throws Problem, or the signal's reason
 */
export async function ask(path, query = {}, signal = undefined, body = undefined) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') {
      search.set(name, String(value));
    }
  }
  const address = path + (search.size > 0 ? `?${search}` : '');
  const limit = AbortSignal.timeout(LIMIT_MS);
  const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    try {
      return await send(address, both, body);
    } catch (failed) {
      if (failed instanceof Problem || both.aborted || body !== undefined) {
        throw failed;
      }
      // A change of networks breaks connections that stand; the next one mostly works.
      await new Promise((done) => setTimeout(done, AGAIN_MS));
      return await send(address, both, body);
    }
  } catch (failed) {
    if (signal?.aborted) {
      throw signal.reason;
    }
    throw failed instanceof Problem ? failed : new Problem(
      0,
      'no answer',
      limit.aborted
        ? `hpcrund did not answer within ${LIMIT_MS / 1000} s`
        : `hpcrund cannot be reached at ${location.origin}`,
      'check that hpcrund runs (systemctl status hpcrund) and that the connection to it still stands',
    );
  }
}

async function send(address, signal, body) {
  const token = sessionStorage.getItem(TOKEN);
  const response = await fetch(address, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Accept: 'application/json',
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal,
  });
  return read(response, await response.text());
}

function read(response, words) {
  let json;
  try {
    json = JSON.parse(words);
  } catch {
    throw new Problem(
      response.status,
      'no JSON',
      `what answered is not hpcrund, or something between changed its answer (status ${response.status})`,
      'check the address of this page',
    );
  }
  if (!response.ok) {
    const of = (name) => (typeof json?.[name] === 'string' ? json[name] : '');
    throw new Problem(response.status, of('title'), of('detail'), of('remedy'));
  }
  return json;
}

/** All elements of a list that comes in pages, at most `most`. */
export async function askAll(path, member, query, signal, most) {
  const all = [];
  let after;
  do {
    const page = await ask(path, { ...query, after }, signal);
    all.push(...listOf(page, member));
    after = page.next;
  } while (after && all.length < most);
  return all;
}

/** A list of objects in an answer; empty if it is absent. */
export function listOf(answer, member) {
  const list = answer?.[member];
  return Array.isArray(list) ? list.filter((each) => each !== null && typeof each === 'object') : [];
}
