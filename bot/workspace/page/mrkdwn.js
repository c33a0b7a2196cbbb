// Slack's own markup (`mrkdwn`), as elements.

import { h } from "/page/dom.js";
import { entity, plain } from "/page/entities.js";

/** Elements for a mrkdwn text. */
export function mrkdwn(text) {
  const nodes = [];
  let end = 0;
  for (const fence of text.matchAll(/```\n?([\s\S]*?)\n?```/g)) {
    nodes.push(...lines(text.slice(end, fence.index)), h("pre", {}, h("code", {}, plain(fence[1]))));
    end = fence.index + fence[0].length;
  }
  nodes.push(...lines(text.slice(end)));
  return nodes;
}

function lines(text) {
  const nodes = [];
  let quote = [];
  const endQuote = () => {
    if (quote.length) nodes.push(h("blockquote", {}, joined(quote)));
    quote = [];
  };
  const rest = [];
  const endRest = () => {
    if (rest.length) nodes.push(...joined(rest));
    rest.length = 0;
  };
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    const quoted = line.match(/^(?:&gt;|>) ?(.*)$/);
    if (quoted) {
      endRest();
      quote.push(quoted[1]);
    } else {
      endQuote();
      rest.push(line);
    }
  }
  endQuote();
  if (rest.length > 1 || rest[0]) endRest();
  return nodes;
}

function joined(all) {
  return all.flatMap((line, n) => (n ? [h("br"), ...inline(line)] : inline(line)));
}

const INLINE = /`([^`\n]+)`|<([^<>\n]+)>|(?<![\p{L}\d*])\*(?=\S)([^*\n]*[^*\s])\*(?![\p{L}\d*])|(?<![\p{L}\d_])_(?=\S)([^_\n]*[^_\s])_(?![\p{L}\d_])|(?<![\p{L}\d~])~(?=\S)([^~\n]*[^~\s])~(?![\p{L}\d~])/gu;

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(plain(text.slice(end, found.index)));
    const [whole, code, inside, bold, italic, struck] = found;
    if (code !== undefined) nodes.push(h("code", {}, plain(code)));
    else if (inside !== undefined) nodes.push(entity(inside) ?? plain(whole));
    else if (bold !== undefined) nodes.push(h("strong", {}, inline(bold)));
    else if (italic !== undefined) nodes.push(h("em", {}, inline(italic)));
    else nodes.push(h("s", {}, inline(struck)));
    end = found.index + whole.length;
  }
  nodes.push(plain(text.slice(end)));
  return nodes;
}
