// The box in which messages and commands are typed.

import { h, icon, toast } from "/page/dom.js";
import { act, store } from "/page/live.js";
import { known, t } from "/page/words.js";

/** What was typed and not sent, by person and place. */
const drafts = new Map();

/**
 * A composer for a conversation or one of its threads. `onSent(ts)` is called after a message.
 */
export function composer({ id, channel, thread, label, onSent = () => {} }) {
  const draft = `${store.me}:${channel}:${thread ?? ""}`;
  const box = h("textarea", {
    id, rows: 1, placeholder: label, "aria-label": label, value: drafts.get(draft) ?? "",
    autocomplete: "off", "aria-autocomplete": "list", "aria-controls": `${id}-list`, "aria-expanded": "false",
    oninput: changed, onkeydown: typed, onblur: () => setTimeout(closeList, 150),
  });
  const list = h("div", { id: `${id}-list`, class: "suggestions", role: "listbox", "aria-label": t`Suggestions`, hidden: true });
  const sendButton = h("button", { type: "button", class: "send", "aria-label": t`Send`, title: t`Send (Enter)`, onclick: send }, icon("send"));
  const mentionButton = h("button", {
    type: "button", class: "tool", title: t`Mention ${botName()}`, "aria-label": t`Mention ${botName()}`, onclick: () => insert(`@${botName()} `),
  }, icon("at"), h("span", {}, botName()));
  const commandButton = thread || !store.rest.commands.length ? null : h("button", {
    type: "button", class: "tool", title: t`Commands`, "aria-label": t`Commands`,
    onclick: () => { box.value = "/"; box.focus(); changed(); },
  }, h("span", { class: "slash" }, "/"));
  const node = h("div", { class: "composer" }, list, box,
    h("div", { class: "composer-foot" }, mentionButton, commandButton, h("span", { class: "quiet keys" }, t`Enter to send, Shift+Enter for a new line`), sendButton));
  let suggestions = [];
  let chosen = 0;

  function changed() {
    drafts.set(draft, box.value);
    grow();
    suggest();
  }

  function grow() {
    box.style.setProperty("height", "auto");
    box.style.setProperty("height", `${Math.min(box.scrollHeight, 240)}px`);
    sendButton.disabled = !box.value.trim();
  }

  function typed(event) {
    if (event.isComposing) return;
    if (suggestions.length) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + suggestions.length) % suggestions.length;
        show();
        return event.preventDefault();
      }
      const isWhole = suggestions[chosen].text.trim() === box.value.trim();
      if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !isWhole)) {
        take(suggestions[chosen]);
        return event.preventDefault();
      }
      if (event.key === "Escape") {
        closeList();
        return event.preventDefault();
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  }

  function suggest() {
    const before = box.value.slice(0, box.selectionStart);
    const command = before.match(/^\/[\w-]*$/);
    const name = before.match(/(?:^|\s)@([\p{L}]*)$/u);
    if (command && !thread) {
      suggestions = store.rest.commands.filter((one) => one.command.startsWith(command[0])).map((one) => ({
        text: `${one.command} `, shown: `${one.command} ${one.usage_hint ?? ""}`, detail: one.description, from: 0,
      }));
    } else if (name) {
      const start = before.length - name[1].length - 1;
      suggestions = store.rest.users.filter((one) => one.name.toLowerCase().startsWith(name[1].toLowerCase()) && one.id !== store.me)
        .map((one) => ({ text: `@${one.name} `, shown: `@${one.name}`, detail: known(one.role), from: start }));
    } else suggestions = [];
    chosen = 0;
    show();
  }

  function show() {
    list.hidden = !suggestions.length;
    box.setAttribute("aria-expanded", String(!list.hidden));
    list.replaceChildren(...suggestions.map((one, n) => h("div", {
      role: "option", id: `${id}-option-${n}`, class: "suggestion", "aria-selected": String(n === chosen), onpointerdown: (event) => { event.preventDefault(); take(one); },
    }, h("span", {}, one.shown), h("span", { class: "description" }, one.detail))));
    if (suggestions.length) box.setAttribute("aria-activedescendant", `${id}-option-${chosen}`);
    else box.removeAttribute("aria-activedescendant");
  }

  function closeList() {
    suggestions = [];
    show();
  }

  function take(one) {
    const end = box.selectionStart;
    box.setRangeText(one.text, one.from, end, "end");
    closeList();
    changed();
    box.focus();
  }

  function insert(text) {
    const isAtWord = box.selectionStart > 0 && !/\s/.test(box.value[box.selectionStart - 1]);
    box.setRangeText((isAtWord ? " " : "") + text, box.selectionStart, box.selectionEnd, "end");
    box.focus();
    changed();
    closeList();
  }

  async function send() {
    const text = box.value.trim();
    if (!text) return;
    if (text.startsWith("/") && thread) return toast(t`Commands do not work in threads.`);
    box.value = "";
    closeList();
    changed();
    const answer = text.startsWith("/")
      ? await act("command", { channel, line: text }, { isQuiet: true }) // a message says what went wrong
      : await act("say", { channel, text, thread_ts: thread });
    if (answer.ts) onSent(answer.ts);
    else if (!answer.is_ok && !text.startsWith("/")) {
      box.value = text;
      changed();
    }
  }

  queueMicrotask(grow);
  node.focusBox = () => box.focus();
  return node;
}

function botName() {
  return store.rest.users.find((one) => one.id === store.rest.bot).name;
}
