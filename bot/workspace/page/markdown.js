// Standard Markdown, as far as Slack's markdown block takes it, as elements.

import { h } from "/page/dom.js";
import { entity, link, plain } from "/page/entities.js";

/** Elements for a Markdown text. Raw HTML in it is shown as it stands. */
export function markdown(text) {
  return blocks(text.replace(/\r\n?/g, "\n").split("\n"));
}

const FENCE = /^\s*(```+|~~~+)/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(lines) {
  const nodes = [];
  let n = 0;
  while (n < lines.length) {
    const line = lines[n];
    let heading;
    if (!line.trim()) n += 1;
    else if (FENCE.test(line)) n = fence(lines, n, nodes);
    else if (RULE.test(line)) {
      nodes.push(h("hr"));
      n += 1;
    } else if ((heading = line.match(HEADING))) {
      nodes.push(h(`h${Math.min(heading[1].length + 2, 6)}`, { class: `heading-${heading[1].length}` }, inline(heading[2])));
      n += 1;
    } else if (/^\s*>/.test(line) || /^\s*&gt;/.test(line)) n = quote(lines, n, nodes);
    else if (ITEM.test(line)) n = list(lines, n, nodes);
    else if (line.includes("|") && TABLE_RULE.test(lines[n + 1] ?? "")) n = table(lines, n, nodes);
    else n = paragraph(lines, n, nodes);
  }
  return nodes;
}

function fence(lines, start, nodes) {
  const mark = lines[start].match(FENCE)[1];
  let n = start + 1;
  while (n < lines.length && !lines[n].trim().startsWith(mark)) n += 1;
  nodes.push(h("pre", {}, h("code", {}, plain(lines.slice(start + 1, n).join("\n")))));
  return n + 1;
}

function quote(lines, start, nodes) {
  let n = start;
  const inside = [];
  while (n < lines.length && /^\s*(>|&gt;)/.test(lines[n])) {
    inside.push(lines[n].replace(/^\s*(>|&gt;) ?/, ""));
    n += 1;
  }
  nodes.push(h("blockquote", {}, blocks(inside)));
  return n;
}

function list(lines, start, nodes) {
  const [, indent, mark] = lines[start].match(ITEM);
  const isOrdered = /\d/.test(mark);
  const items = [];
  let n = start;
  while (n < lines.length) {
    const item = lines[n].match(ITEM);
    if (!item || item[1].length !== indent.length || /\d/.test(item[2]) !== isOrdered) break;
    const inside = [item[3]];
    const least = indent.length + 2;
    n += 1;
    while (n < lines.length && (isIndented(lines[n], least) || continues(lines, n, inside))) {
      inside.push(lines[n].slice(Math.min(least, lines[n].search(/\S|$/))));
      n += 1;
    }
    items.push(h("li", {}, tight(blocks(inside))));
    if (n < lines.length && !lines[n].trim() && ITEM.test(lines[n + 1] ?? "")) n += 1;
  }
  const first = Number.parseInt(mark, 10);
  nodes.push(isOrdered ? h("ol", { start: first === 1 ? null : first }, items) : h("ul", {}, items));
  return n;
}

const isIndented = (line, least) => line.trim() && line.search(/\S/) >= least;

/** A line directly below an item's text goes on with it. */
function continues(lines, n, inside) {
  return Boolean(lines[n].trim()) && !ITEM.test(lines[n]) && !HEADING.test(lines[n]) && Boolean(inside.at(-1).trim());
}

/** An item that is one paragraph needs no paragraph. */
function tight(nodes) {
  return nodes[0]?.tagName === "P" ? [...nodes[0].childNodes, ...nodes.slice(1)] : nodes;
}

function table(lines, start, nodes) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const head = cells(lines[start]);
  let n = start + 2;
  const rows = [];
  while (n < lines.length && lines[n].includes("|")) rows.push(cells(lines[n++]));
  nodes.push(
    h("div", { class: "table-frame" },
      h("table", {},
        h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, inline(cell))))),
        h("tbody", {}, rows.map((row) => h("tr", {}, head.map((_, k) => h("td", {}, inline(row[k] ?? "")))))))),
  );
  return n;
}

function paragraph(lines, start, nodes) {
  let n = start + 1;
  const ends = (line) => !line.trim() || FENCE.test(line) || HEADING.test(line) || ITEM.test(line) || /^\s*(>|&gt;)/.test(line);
  while (n < lines.length && !ends(lines[n])) n += 1;
  const text = lines.slice(start, n).map((line) => line.trim());
  nodes.push(h("p", {}, text.flatMap((line, k) => (k ? [h("br"), inline(line)] : [inline(line)]))));
  return n;
}

const INLINE = /\\([\\`*_{}[\]()#+.!~>|-])|(`+)([\s\S]*?[^`])\2(?!`)|!?\[([^\]]*)\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)(?:\s+"[^"]*")?\)|<([^<>\n]+)>|(\*\*|__)(?=\S)([\s\S]*?\S)\7(?![*_])|(?<![\p{L}\d*])\*(?=[^\s*])([^*]*[^\s*])\*(?!\*)|(?<![\p{L}\d_])_(?=[^\s_])([^_]*[^\s_])_(?![\p{L}\d_])|~~(?=\S)([\s\S]*?\S)~~|(https?:\/\/[^\s<>]+[^\s<>.,;:!?)\]}'"])/gu;

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(plain(text.slice(end, found.index)));
    nodes.push(inlineNode(found));
    end = found.index + found[0].length;
  }
  nodes.push(plain(text.slice(end)));
  return nodes;
}

function inlineNode([whole, escaped, ticks, code, label, url, inside, , bold, starred, italic, struck, bare]) {
  if (escaped !== undefined) return escaped;
  if (ticks !== undefined) return h("code", {}, plain(code.trim()));
  if (url !== undefined) return link(url, inline(label || url));
  if (inside !== undefined) return entity(inside) ?? plain(whole);
  if (bold !== undefined) return h("strong", {}, inline(bold));
  if (starred !== undefined) return h("em", {}, inline(starred));
  if (italic !== undefined) return h("em", {}, inline(italic));
  if (struck !== undefined) return h("s", {}, inline(struck));
  return link(bare, plain(bare));
}
