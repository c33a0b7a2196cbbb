// Modals: the topmost one of somebody's stack, and what they fill in.

import { context, drawBlocks, textObject } from "/page/blocks.js";
import { h, icon } from "/page/dom.js";
import { filledIn } from "/page/elements.js";
import { act, store } from "/page/live.js";
import { known, t } from "/page/words.js";

let dialog = null;
let shown = "";
let opener = null;

/** What was typed, by view. */
const typed = new Map();

/** Show the person's topmost modal, or none. */
export function drawModal() {
  const views = store.rest.modals;
  const view = views.at(-1);
  const signature = view ? `${store.me}:${view.id}:${view.hash}` : "";
  if (signature === shown) return;
  shown = signature;
  if (!view) return close();
  if (!dialog) {
    opener = document.activeElement;
    dialog = h("dialog", { class: "dialog", "aria-labelledby": "modal-title" });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      leave(store.rest.modals.at(-1));
    });
    // A browser may insist on closing a dialog at the second Escape.
    dialog.addEventListener("close", (event) => {
      if (event.target !== dialog) return;
      dialog.remove();
      dialog = null;
      shown = "";
    });
    document.body.append(dialog);
  }
  const scrolled = dialog.querySelector(".dialog-body")?.scrollTop ?? 0;
  const isSame = dialog.dataset.view === view.id;
  const focused = isSame && dialog.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  dialog.dataset.view = view.id;
  dialog.replaceChildren(form(view, views.length > 1));
  if (!dialog.open) dialog.showModal();
  if (focused) dialog.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  else focusFirst();
  if (isSame) dialog.querySelector(".dialog-body").scrollTop = scrolled;
}

function close() {
  if (!dialog) return;
  const old = dialog;
  dialog = null;
  old.close();
  old.remove();
  if (opener?.isConnected) opener.focus();
  else document.querySelector(".composer textarea")?.focus();
}

function focusFirst() {
  const wanted = dialog.querySelector('[data-wanted="1"]') ?? dialog.querySelector(".dialog-body :is(input, textarea, select)") ?? dialog.querySelector(".dialog-foot button");
  wanted?.focus();
}

function leave(view) {
  typed.delete(view.id);
  act("close", { view: view.id }, { isQuiet: true });
}

function form(view, isStacked) {
  if (!typed.has(view.id)) typed.set(view.id, new Map());
  const where = context(view.id, { isView: true, values: view.state.values, typed: typed.get(view.id) });
  const trouble = h("p", { class: "alert error", role: "alert", hidden: true });
  const submitButton = view.submit ? h("button", { type: "submit", class: "button primary" }, textObject(view.submit)) : null;
  const node = h("form", {
    method: "dialog", novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      if (!submitButton || submitButton.disabled) return;
      submitButton.disabled = true;
      submitButton.setAttribute("aria-busy", "true");
      trouble.hidden = true;
      const answer = await act("submit", { view: view.id, values: filledIn(where) }, { isQuiet: true });
      submitButton.disabled = false;
      submitButton.removeAttribute("aria-busy");
      if (answer.is_ok) return typed.delete(view.id);
      showErrors(node, answer.errors ?? {});
      trouble.hidden = !answer.error;
      trouble.textContent = answer.error ? known(answer.error) : "";
    },
  },
  h("div", { class: "dialog-head" },
    isStacked ? h("button", { type: "button", class: "icon-button", "aria-label": t`Back`, onclick: () => leave(view) }, icon("back")) : null,
    h("h2", { id: "modal-title" }, textObject(view.title)),
    h("button", { type: "button", class: "icon-button", "aria-label": t`Close`, onclick: () => act("close", { view: view.id, is_all: true }) }, icon("close"))),
  h("div", { class: "dialog-body" }, trouble, drawBlocks(view.blocks, where)),
  h("div", { class: "dialog-foot" },
    h("button", { type: "button", class: "button", onclick: () => leave(view) }, view.close ? textObject(view.close) : t`Cancel`),
    submitButton));
  // Ctrl+Enter submits from a field of several lines, where Enter makes a new one.
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  return node;
}

function showErrors(node, errors) {
  let first = null;
  for (const block of node.querySelectorAll(".block-input")) {
    const text = errors[block.dataset.block];
    const place = block.querySelector(".field-error");
    const field = block.querySelector("input, textarea, select, .choices");
    place.hidden = !text;
    place.textContent = text ?? "";
    if (text) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
    if (text) first ??= field;
  }
  (first?.matches?.(".choices") ? first.querySelector("input") : first)?.focus();
}
