// rich_text blocks, as elements.

import { h } from "/page/dom.js";
import { channelMention, link, mention } from "/page/entities.js";
import { emoji } from "/page/emoji.js";

/** Elements for a rich_text block. */
export function richText(block) {
  return block.elements.map((part) => {
    const inside = () => (part.elements ?? []).map(piece);
    if (part.type === "rich_text_preformatted") return h("pre", {}, h("code", {}, inside()));
    if (part.type === "rich_text_quote") return h("blockquote", {}, inside());
    if (part.type === "rich_text_list") {
      const items = part.elements.map((item) => h("li", {}, item.elements.map(piece)));
      return h(part.style === "ordered" ? "ol" : "ul", { class: `indent-${Math.min(part.indent ?? 0, 6)}` }, items);
    }
    return h("div", { class: "rich" }, inside());
  });
}

function piece(one) {
  switch (one.type) {
    case "text": return styled(withBreaks(one.text), one.style);
    case "link": return styled([link(one.url, one.text ?? one.url)], one.style);
    case "user": return mention(one.user_id);
    case "channel": return channelMention(one.channel_id);
    case "usergroup": return h("span", { class: "mention" }, `@${one.usergroup_id}`);
    case "broadcast": return h("span", { class: "mention me" }, `@${one.range}`);
    case "emoji": return emoji(one.name);
    case "date": return one.fallback ?? new Date(one.timestamp * 1000).toLocaleString();
    case "color": return h("code", {}, one.value);
    default: return "";
  }
}

function withBreaks(text) {
  return text.split("\n").flatMap((line, n) => (n ? [h("br"), line] : [line]));
}

function styled(nodes, style = {}) {
  let made = nodes;
  if (style.code) made = [h("code", {}, made)];
  if (style.bold) made = [h("strong", {}, made)];
  if (style.italic) made = [h("em", {}, made)];
  if (style.strike) made = [h("s", {}, made)];
  return made;
}
