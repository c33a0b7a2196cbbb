// One message: who, when, what, and what can be done with it.

import { context, drawBlocks } from "/page/blocks.js";
import { h, icon, toast } from "/page/dom.js";
import { emoji, QUICK } from "/page/emoji.js";
import { act, channel, fileAddress, replies, store, user } from "/page/live.js";
import { menu } from "/page/menu.js";
import { mrkdwn } from "/page/mrkdwn.js";
import { go } from "/page/route.js";
import { language, t } from "/page/words.js";

/** Somebody's picture: initials on a colour of their own, and the app's sign. */
export function avatar(id, size = "") {
  const who = user(id);
  if (who?.is_bot) return h("img", { class: `avatar ${size}`, src: "/page/skredder.svg", alt: "" });
  const initials = (who?.name ?? "?").split(/\s+/).map((part) => part[0]).slice(0, 2).join("").toUpperCase();
  const hue = [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 6, 7);
  return h("span", { class: `avatar tone-${hue} ${size}`, "aria-hidden": "true" }, initials);
}

export const time = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
const moment = (ts) => new Date(Number(ts) * 1000).toLocaleString(language(), { dateStyle: "full", timeStyle: "short" });

/** The element of a message. `isCompact` leaves out the name when the one above says it. */
export function drawMessage(message, { isCompact, isInThread }) {
  const who = user(message.user);
  const body = h("div", { class: "message-body" },
    message.is_ephemeral ? h("div", { class: "only-you" }, icon("eye", 14), t`Only visible to you`) : null,
    isCompact ? null : h("div", { class: "message-head" },
      h("span", { class: "name" }, who?.name ?? message.user),
      who?.is_bot ? h("span", { class: "badge" }, "APP") : null,
      h("time", { title: moment(message.ts) }, time(message.ts))),
    content(message),
    files(message),
    reactions(message),
    isInThread || message.is_ephemeral ? null : summary(message));
  return h("article", {
    class: `message ${isCompact ? "compact" : ""} ${message.is_ephemeral ? "ephemeral" : ""}`,
    "aria-label": `${who?.name ?? ""}, ${time(message.ts)}`, tabindex: "-1",
    // A screen reader reads an answer when it is whole, not at every word.
    "aria-busy": message.streaming_state === "in_progress" ? "true" : null,
    id: `message-${message.ts}${isInThread ? "-in-thread" : ""}`,
  },
  h("div", { class: "message-side" }, isCompact ? h("time", { title: moment(message.ts) }, time(message.ts)) : avatar(message.user)),
  body,
  message.is_ephemeral ? null : toolbar(message, isInThread));
}

function content(message) {
  const isWriting = message.streaming_state === "in_progress";
  // What people type is stored as one block of plain text; its asterisks are shown as bold.
  const blocks = (message.blocks ?? []).filter((block) => block.block_id !== "typed");
  const nodes = blocks.length ? drawBlocks(blocks, context(message.ts)) : [h("div", { class: "text" }, mrkdwn(message.text))];
  const node = h("div", { class: "content" }, nodes);
  if (isWriting) lastLine(node).append(h("span", { class: "caret", role: "img", "aria-label": t`still writing` }));
  if (message.streaming_state === "stopped") node.append(h("div", { class: "quiet" }, t`Stopped.`));
  if (message.edited && !message.is_from_app) node.append(h("span", { class: "quiet" }, ` ${t`(edited)`}`));
  return node;
}

/** Where text goes on: the innermost last element that holds lines. */
function lastLine(node) {
  const holders = new Set(["DIV", "P", "UL", "OL", "LI", "BLOCKQUOTE", "PRE", "TABLE", "TBODY", "TR", "TD"]);
  let place = node;
  while (place.lastElementChild && holders.has(place.lastElementChild.tagName)) place = place.lastElementChild;
  return place;
}

function files(message) {
  return (message.files ?? []).map((file) => {
    const address = fileAddress(file.url_private);
    if (!file.mimetype.startsWith("image/")) {
      return h("a", { class: "file", href: address, download: file.name }, icon("file"), h("span", {}, file.title, h("span", { class: "description" }, `${file.name}, ${size(file.size)}`)));
    }
    return h("figure", { class: "picture-frame" },
      h("figcaption", {}, file.title),
      h("a", { href: address, target: "_blank", rel: "noopener" }, h("img", { class: "picture", src: address, alt: file.alt_txt || file.title })));
  });
}

const size = (bytes) => (bytes < 1000 ? `${bytes} bytes` : bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map(({ name, users }) => {
    const isMine = users.includes(store.me);
    const names = users.map((id) => user(id)?.name ?? id).join(", ");
    return h("button", {
      type: "button", class: "reaction", "aria-pressed": String(isMine), "aria-label": `${name}: ${names}`, title: t`${names} reacted with :${name}:`,
      dataset: { focus: `reaction-${name}` },
      onclick: () => act("react", { ts: message.ts, name, is_off: isMine }),
    }, emoji(name), h("span", {}, String(users.length)));
  }));
}

function summary(message) {
  const all = replies(message.channel, message.ts).filter((one) => !one.is_ephemeral);
  if (!all.length) return null;
  const people = [...new Set(all.map((one) => one.user))].slice(0, 4);
  return h("button", { type: "button", class: "summary", dataset: { focus: "summary" }, onclick: () => go(message.channel, message.ts) },
    h("span", { class: "summary-faces" }, people.map((id) => avatar(id, "tiny"))),
    h("strong", {}, all.length === 1 ? t`1 reply` : t`${all.length} replies`),
    h("span", { class: "quiet" }, t`Last at ${time(all.at(-1).ts)}`));
}

function toolbar(message, isInThread) {
  const shortcuts = store.rest.shortcuts.filter((one) => one.type === "message");
  const react = (name) => act("react", { ts: message.ts, name, is_off: message.reactions?.some((one) => one.name === name && one.users.includes(store.me)) });
  const tool = (name, label, run, extra = {}) => {
    const node = h("button", { type: "button", class: "tool", "aria-label": label, title: label, dataset: { focus: `tool-${label}` }, onclick: () => run(node), ...extra }, icon(name));
    return node;
  };
  return h("div", { class: "toolbar", role: "toolbar", "aria-label": t`What to do with this message` },
    tool("smile", t`React`, (node) => menu(node, QUICK.map((name) => ({ label: `${emoji(name)}  ${name}`, run: () => react(name) })))),
    isInThread ? null : tool("reply", t`Reply in thread`, () => go(message.channel, message.thread_ts ?? message.ts)),
    tool("more", t`More`, (node) => menu(node, [
      ...shortcuts.map((one) => ({ label: one.name, detail: one.description, run: () => act("shortcut", { ts: message.ts, callback_id: one.callback_id }) })),
      { label: t`Copy text`, run: () => navigator.clipboard.writeText(message.text).then(() => toast(t`Copied.`)) },
      { label: t`Copy link`, run: () => navigator.clipboard.writeText(permalink(message)).then(() => toast(t`Copied.`)) },
    ]), { "aria-haspopup": "menu" }));
}

function permalink(message) {
  const link = `${location.origin}/archives/${message.channel}/p${message.ts.replace(".", "")}`;
  return message.thread_ts && message.thread_ts !== message.ts ? `${link}?thread_ts=${message.thread_ts}` : link;
}

/** What a message shows, so that it is drawn anew only when that changes. */
export function signature(message, { isCompact, isInThread }) {
  const answers = isInThread ? 0 : replies(message.channel, message.ts).map((one) => one.ts).join();
  return JSON.stringify([message, isCompact, answers, store.me, store.rest.shortcuts.length]);
}

export const nameOfPlace = (id) => {
  const place = channel(id);
  if (!place) return "";
  return place.kind === "im" ? user(store.rest.bot).name : place.name;
};
