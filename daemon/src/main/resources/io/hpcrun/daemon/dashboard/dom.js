// Makes elements. Data becomes text nodes and nothing else: records are files that users wrote.

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element; `attributes` are the page's own words, `children` texts, elements or lists. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element, as el(). */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name, value);
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) {
      append(element, child);
    } else if (child instanceof Node) {
      element.appendChild(child);
    } else if (child !== undefined && child !== null && child !== '') {
      element.appendChild(document.createTextNode(String(child)));
    }
  }
}

/** A link to a view: parts of its path and its query, each encoded. */
export function viewLink(parts, query, attributes, ...children) {
  return el('a', { ...attributes, href: viewAddress(parts, query) }, ...children);
}

/** The address of a view. */
export function viewAddress(parts, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') {
      search.set(name, String(value));
    }
  }
  const path = parts.map((part) => encodeURIComponent(String(part).toWellFormed())).join('/');
  return `#/${path}${search.size > 0 ? `?${search}` : ''}`;
}

/** A member of an object that came as JSON: `constructor` and the like are no members. */
export function own(object, name) {
  return object !== null && typeof object === 'object' && Object.hasOwn(object, name)
    ? object[name]
    : undefined;
}

/**
 * Makes `wanted` the children of `parent`. The one that holds the keyboard's focus is not moved, and
 * stays (at the end) even if it is not wanted any more: a refresh must not take it away.
 */
export function reconcile(parent, wanted) {
  const held = [...parent.children].find((child) => child.contains(document.activeElement));
  const order = held && !wanted.includes(held) ? [...wanted, held] : wanted;
  let at = parent.firstChild;
  for (const child of order) {
    if (child === held) {
      while (at !== held) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
    }
    if (child === at) {
      at = at.nextSibling;
    } else {
      parent.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}
