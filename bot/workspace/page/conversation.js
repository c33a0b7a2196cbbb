// A list of messages that follows what is said: a channel, a direct message or a thread.

import { h, icon, reconcile } from "/page/dom.js";
import { act, replies, store, topMessages, user } from "/page/live.js";
import { drawMessage, signature } from "/page/message.js";
import { language, t } from "/page/words.js";

const day = (ts) => new Date(Number(ts) * 1000).toDateString();

function dayName(ts) {
  const that = new Date(Number(ts) * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - that.setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return t`Today`;
  if (days === 1) return t`Yesterday`;
  return that.toLocaleDateString(language(), { weekday: "long", day: "numeric", month: "long" });
}

/** Draw messages into a list, keeping its end in sight for whoever was there. */
export function drawList(list, channel, thread) {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 90 || !list.dataset.drawn;
  const isInThread = Boolean(thread);
  const root = thread ? store.messages.get(thread) : null;
  const messages = thread ? [root, ...replies(channel, thread)].filter(Boolean) : topMessages(channel);
  const items = [];
  let previous = null;
  for (const message of messages) {
    if (!isInThread && (!previous || day(previous.ts) !== day(message.ts))) {
      items.push({ key: `day-${day(message.ts)}`, signature: dayName(message.ts), build: () => h("div", { class: "day" }, h("span", {}, dayName(message.ts))) });
      previous = null;
    }
    const isCompact = follows(previous, message) && previous !== root;
    const how = { isCompact, isInThread };
    items.push({ key: message.ts, signature: signature(message, how), build: () => drawMessage(message, how) });
    if (message === root) {
      const count = replies(channel, thread).filter((one) => !one.is_ephemeral).length;
      const text = count === 1 ? t`1 reply` : t`${count} replies`;
      items.push({ key: "count", signature: text, build: () => h("div", { class: "day" }, h("span", {}, text)) });
    }
    if (!isInThread) items.push(...statusItem(channel, message.ts));
    previous = message;
  }
  if (isInThread) items.push(...statusItem(channel, thread));
  reconcile(list, items);
  if (isAtEnd) list.scrollTop = list.scrollHeight;
  list.dataset.drawn = "1";
}

function follows(previous, message) {
  return Boolean(previous) && previous.user === message.user && !previous.is_ephemeral && !message.is_ephemeral
    && Number(message.ts) - Number(previous.ts) < 300;
}

/** The line that says what the app is doing in a thread, with the button that stops it. */
function statusItem(channel, thread) {
  const status = store.rest.statuses.find((one) => one.channel === channel && one.thread_ts === thread);
  const session = store.rest.sessions.find((one) => one.channel === channel && one.thread_ts === thread);
  const isWriting = replies(channel, thread).some((one) => one.streaming_state === "in_progress");
  const isStoppable = session?.status === "processing" || isWriting;
  if (!status && !isStoppable) return [];
  const name = user(store.rest.bot).name;
  const first = status ? `${name} ${status.status}` : isWriting ? t`${name} is writing…` : t`${name} is working…`;
  const lines = [first, ...(status?.loading_messages ?? [])];
  return [{
    key: `status-${thread}`,
    signature: JSON.stringify([lines, isStoppable]),
    build: () => {
      const text = h("span", { "aria-live": "polite" }, first);
      const node = h("div", { class: "status" }, h("span", { class: "pulse" }), text,
        isStoppable ? h("button", { type: "button", class: "button small", onclick: () => act("stop", { channel, thread_ts: thread }) }, icon("stop", 14), t`Stop`) : null);
      if (lines.length > 1) rotate(node, text, lines);
      return node;
    },
  }];
}

function rotate(node, text, lines) {
  let n = 0;
  const timer = setInterval(() => {
    if (!node.isConnected) return clearInterval(timer);
    n = (n + 1) % lines.length;
    text.textContent = lines[n];
  }, 2500);
}
