// How figures are shown. Everything may be absent, and a user's record may hold anything.

import { el } from './dom.js';

const LONGEST = 400;
// Characters that change how the text around them looks (line breaks, escapes, writing direction).
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A number, or undefined for anything else. */
export function number(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Any value as text that cannot disturb its surroundings; '' if it is absent. */
export function text(value) {
  if (value === undefined || value === null) {
    return '';
  }
  const words = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const cut = words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
  return cut.replace(
    UNSEEN,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What could not be measured, or is not known. */
export function absent() {
  return el('span', { class: 'absent' }, el('span', { 'aria-hidden': 'true' }, '–'),
    el('span', { class: 'unseen' }, 'not known'));
}

/** Text, or the sign for its absence. */
export function textOr(value) {
  return text(value) || absent();
}

/** A duration in words: three digits and a unit, as `hpcrun timing` writes them (io.hpcrun.timing.Durations). */
export function duration(ns) {
  const value = number(ns);
  if (value === undefined) {
    return '';
  }
  const sign = value < 0 ? '-' : '';
  const size = Math.abs(value);
  if (size === 0) {
    return '0 s';
  }
  if (size < 1e6) {
    return `${sign}${digits(size, 1e3)} µs`;
  }
  if (size < 1e9) {
    return `${sign}${digits(size, 1e6)} ms`;
  }
  if (size < 120e9) {
    return `${sign}${digits(size, 1e9)} s`;
  }
  const seconds = Math.floor(size / 1e9);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours < 2) {
    return `${sign}${minutes} min ${seconds % 60} s`;
  }
  return hours < 48
    ? `${sign}${hours} h ${minutes % 60} min`
    : `${sign}${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Halves are rounded up: toFixed alone would see that 1.005 is a little less.
function digits(size, unit) {
  const places = size < 10 * unit ? 2 : size < 100 * unit ? 1 : 0;
  return (Math.round(size / (unit / 10 ** places)) / 10 ** places).toFixed(places);
}

/** A round duration, as scales have them. */
export function roundDuration(ns) {
  return ns === 0 ? '0' : duration(ns).replace(/\.0+ /, ' ');
}

/** A duration, or the sign for its absence. */
export function durationOr(ns) {
  return duration(ns) || absent();
}

/** A count with thin spaces between thousands. */
export function count(value) {
  const known = number(value);
  return known === undefined
    ? ''
    : String(Math.round(known)).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** A count, or the sign for its absence. */
export function countOr(value) {
  return count(value) || absent();
}

/** Bytes in words. */
export function bytes(value) {
  let known = number(value);
  if (known === undefined) {
    return '';
  }
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (known >= 1000 && unit < units.length - 1) {
    known /= 1000;
    unit++;
  }
  return `${unit === 0 ? known : digits(known, 1)} ${units[unit]}`;
}

/** A moment given in nanoseconds, as a time element of this time zone; `fine` adds microseconds. */
export function moment(ns, fine = false) {
  const value = number(ns);
  const date = value === undefined ? undefined : new Date(value / 1e6);
  if (date === undefined || Number.isNaN(date.getTime()) || value <= 0) {
    return absent();
  }
  const two = (n) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const part = fine ? `.${String(Math.floor((value % 1e9) / 1e3)).padStart(6, '0')}` : '';
  return el('time', { datetime: date.toISOString() }, `${day} ${clock}${part}`);
}

/** The same for whole seconds. */
export function momentOfSeconds(seconds) {
  const value = number(seconds);
  return moment(value === undefined ? undefined : value * 1e9);
}

/** The value of a datetime-local field as seconds since the epoch; '' if there is none. */
export function secondsOfField(value) {
  const ms = value ? new Date(value).getTime() : NaN;
  return Number.isNaN(ms) ? '' : String(Math.floor(ms / 1000));
}

/** Seconds since the epoch as the value of a datetime-local field. */
export function fieldOfSeconds(seconds) {
  const value = /^\d{1,12}$/.test(seconds ?? '') ? Number(seconds) : undefined;
  if (value === undefined) {
    return '';
  }
  const date = new Date(value * 1000);
  return Number.isNaN(date.getTime())
    ? ''
    : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The last part of a path. */
export function baseName(path) {
  const words = text(path);
  return words.slice(words.lastIndexOf('/') + 1) || words;
}
