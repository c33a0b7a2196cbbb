// Building and updating the page without ever parsing text as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: h("button", {class: "x", onclick: f, "aria-label": "y"}, "text", child). */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...flat(children));
  return node;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Make a node hold these children and no others. */
export function fill(node, ...children) {
  node.replaceChildren(...flat(children));
}

const ICONS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h16M3.500 15h16",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  home: "M4 11.500 12 5l8 6.500M6 10v9h12v-9M10 19v-5h4v5",
  reply: "M4 5h16v11H10l-5 4v-4H4z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  smile: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17M9 10h.01M15 10h.01M8.500 14c1.800 2.600 5.200 2.600 7 0",
  close: "M6 6l12 12M18 6 6 18",
  back: "M14 6l-6 6 6 6",
  send: "M4 12 20 5l-5 15-3-6.500z",
  stop: "M8 8h8v8H8z",
  menu: "M4 7h16M4 12h16M4 17h16",
  at: "M16 12a4 4 0 1 0-8 0 4 4 0 0 0 8 0v1.500a2.500 2.500 0 0 0 5 0V12a9 9 0 1 0-3.500 7.100",
  up: "M7 11v9H4v-9zM7 11l4-7c1.600 0 2.500 1 2.200 2.600L12.600 10H18c1.500 0 2.300 1.200 2 2.500l-1.500 6c-.3 1-1 1.500-2 1.500H7",
  down: "M7 13V4H4v9zM7 13l4 7c1.600 0 2.500-1 2.200-2.600L12.600 14H18c1.500 0 2.300-1.200 2-2.500l-1.500-6C18.200 4.500 17.500 4 16.500 4H7",
  check: "M5 12.500l4.500 4.500L19 7.500",
  warning: "M12 4 2.500 20h19zM12 10v4.500M12 17.200v.01",
  info: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17M12 11v5M12 8v.01",
  file: "M7 3.500h7l4 4V20.500H7zM14 3.500V8h4",
  bolt: "M13 3 5 13.500h6L10.500 21 19 10h-6.500z",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l1 13h8l1-13M10 10.500v6M14 10.500v6",
  eye: "M2.500 12S6 6 12 6s9.500 6 9.500 6-3.500 6-9.500 6-9.500-6-9.500-6M12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5",
  copy: "M9 9h11v11H9zM5 15V4h11",
};

/** Make one of the icons above. It says nothing to a screen reader; label what holds it. */
export function icon(name, size = 18) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: `icon icon-${name}` };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.info);
  svg.append(path);
  return svg;
}

/**
 * Make a container show exactly these items, in this order, and touch only what differs.
 * Each item has a key, a signature of all it shows, and what builds its element.
 */
export function reconcile(container, items) {
  const old = new Map([...container.children].map((node) => [node.dataset.key, node]));
  let place = container.firstElementChild;
  for (const { key, signature, build } of items) {
    let node = old.get(key);
    old.delete(key);
    if (!node || node.signature !== signature) {
      const fresh = build();
      fresh.dataset.key = key;
      fresh.signature = signature;
      if (node) {
        const focused = focusKey(node);
        if (place === node) place = fresh;
        node.replaceWith(fresh);
        if (focused) fresh.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
      }
      node = fresh;
    }
    if (node === place) place = place.nextElementSibling;
    else container.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}

function focusKey(node) {
  return node.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
}

/** Show a sentence for a few seconds. */
export function toast(text) {
  const node = h("div", { class: "toast" }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}
