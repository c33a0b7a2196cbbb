// A small menu beside whatever opened it.

import { h } from "/page/dom.js";

let open = null;

/** Show a menu; each entry has a label, perhaps a detail, and what to run. */
export function menu(anchor, entries) {
  closeMenu();
  const list = h("div", { class: "menu", role: "menu" }, entries.map((entry) =>
    h("button", { type: "button", role: "menuitem", class: "menu-item", onclick: () => { closeMenu(); entry.run(); } },
      h("span", {}, entry.label), entry.detail ? h("span", { class: "description" }, entry.detail) : null)));
  // Inside a dialog, because everything outside it cannot be used meanwhile.
  (anchor.closest("dialog") ?? document.body).append(list);
  const box = anchor.getBoundingClientRect();
  const width = list.offsetWidth;
  list.style.setProperty("left", `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`);
  const below = box.bottom + 4;
  const top = below + list.offsetHeight > innerHeight ? box.top - list.offsetHeight - 4 : below;
  list.style.setProperty("top", `${Math.max(8, top)}px`);
  open = { list, anchor };
  list.addEventListener("keydown", move);
  list.querySelector("button")?.focus();
  setTimeout(() => document.addEventListener("pointerdown", closeOutside));
}

export function closeMenu() {
  if (!open) return;
  const { list, anchor } = open;
  open = null;
  list.remove();
  document.removeEventListener("pointerdown", closeOutside);
  if (document.activeElement === document.body) anchor.focus();
}

function closeOutside(event) {
  if (open && !open.list.contains(event.target)) closeMenu();
}

function move(event) {
  const items = [...open.list.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  if (event.key === "ArrowDown") items[(at + 1) % items.length].focus();
  else if (event.key === "ArrowUp") items[(at - 1 + items.length) % items.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
