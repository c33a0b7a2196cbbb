// What both kinds of text have in common: mentions, links, emoji, escapes.

import { h } from "/page/dom.js";
import { emoji, isKnown } from "/page/emoji.js";
import { channel, store, user } from "/page/live.js";

const ESCAPES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

/** Text as a reader sees it: escapes undone, emoji names replaced. */
export function plain(text) {
  return text
    .replace(/:([a-z0-9_+-]+):/g, (whole, name) => (isKnown(name) ? emoji(name) : whole))
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (escape) => ESCAPES[escape]);
}

/** A link, if the address is one that a page may lead to; else just its label. */
export function link(url, label) {
  const address = plainUrl(url);
  if (!/^(https?|mailto):/i.test(address)) return h("span", {}, label);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

function plainUrl(url) {
  return url.replace(/&amp;/g, "&").trim();
}

/** What stands between angle brackets, or null if it is nothing of Slack's. */
export function entity(inside) {
  const [target, label] = split(inside);
  if (/^@[UW][A-Z0-9]+$/.test(target)) return mention(target.slice(1));
  if (/^#[CG][A-Z0-9]+$/.test(target)) return channelMention(target.slice(1), label);
  if (/^!(here|channel|everyone)$/.test(target)) return h("span", { class: "mention me" }, `@${target.slice(1)}`);
  if (target.startsWith("!date^")) return document.createTextNode(plain(label ?? target));
  if (/^(https?|mailto):/i.test(target)) {
    return link(target, plain(label ?? target.replace(/^mailto:/, "")));
  }
  return null;
}

export function mention(id) {
  const name = user(id)?.name ?? id;
  return h("span", { class: id === store.me ? "mention me" : "mention" }, `@${name}`);
}

export function channelMention(id, label) {
  const name = channel(id)?.name ?? label ?? "private channel";
  return h("a", { class: "mention", href: `#/${id}` }, `#${name}`);
}

function split(inside) {
  const bar = inside.indexOf("|");
  return bar < 0 ? [inside, undefined] : [inside.slice(0, bar), inside.slice(bar + 1)];
}
