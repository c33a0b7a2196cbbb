// Block Kit, as elements.

import { h, icon } from "/page/dom.js";
import { interactive } from "/page/elements.js";
import { link, plain } from "/page/entities.js";
import { fileAddress, store } from "/page/live.js";
import { markdown } from "/page/markdown.js";
import { mrkdwn } from "/page/mrkdwn.js";
import { richText } from "/page/richtext.js";
import { t } from "/page/words.js";

/**
 * What blocks need to know about where they stand: `source` (a message's ts or a view's id),
 * `isView`, what the workspace holds for inputs (`values`) and what was typed since (`typed`).
 */
export function context(source, { isView = false, values = {}, typed = new Map() } = {}) {
  return { source, isView, values, typed, readers: new Map(), text: textObject };
}

/** Elements for blocks. */
export function drawBlocks(blocks, where) {
  return blocks.map((block) => {
    const draw = BLOCKS[block.type] ?? unknown;
    return h("div", { class: `block block-${block.type}`, dataset: { block: block.block_id ?? "" } }, draw(block, where));
  });
}

export function textObject(text) {
  if (!text) return [];
  return text.type === "mrkdwn" ? mrkdwn(text.text) : breaks(plain(text.text));
}

const breaks = (text) => text.split("\n").flatMap((line, n) => (n ? [h("br"), line] : [line]));

const BLOCKS = {
  section, header, divider: () => h("hr"), context: contextBlock, context_actions: actions, actions, input, image, markdown: (block) => markdown(block.text),
  rich_text: richText, container, table, task_card: taskCard, plan, alert, card, carousel, data_table: dataTable, video, file,
};

function section(block, where) {
  return [
    h("div", { class: "section-text" },
      block.text ? h("div", { class: "text" }, textObject(block.text)) : null,
      block.fields ? h("div", { class: "fields" }, block.fields.map((one) => h("div", { class: "text" }, textObject(one)))) : null),
    block.accessory ? h("div", { class: "accessory" }, element(block.accessory, block, where)) : null,
  ];
}

function element(one, block, where) {
  return one.type === "image" ? picture(one, "thumbnail") : interactive(one, block, where);
}

function header(block) {
  return h("h3", {}, textObject(block.text));
}

function contextBlock(block) {
  return block.elements.map((one) => (one.type === "image" ? picture(one, "small-picture") : h("span", { class: "text" }, textObject(one))));
}

function actions(block, where) {
  return block.elements.filter((one) => !one.visible_to_user_ids || one.visible_to_user_ids.includes(store.me))
    .map((one) => interactive(one, block, where));
}

let labels = 0;

function input(block, where) {
  const field = interactive(block.element, block, where);
  const id = `field-${(labels += 1)}`;
  const isGroup = field.classList.contains("choices");
  const described = [block.hint ? `${id}-hint` : "", `${id}-error`].join(" ").trim();
  if (!isGroup) field.id = id;
  field.setAttribute("aria-describedby", described);
  const label = [textObject(block.label), block.optional ? h("span", { class: "quiet" }, ` ${t`(optional)`}`) : null];
  return [
    isGroup ? h("div", { class: "label" }, label) : h("label", { class: "label", for: id }, label),
    field,
    h("p", { class: "field-error", id: `${id}-error`, hidden: true }),
    block.hint ? h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint)) : null,
  ];
}

/** Only pictures that are here are loaded; what is elsewhere is linked to. */
function picture(one, kind) {
  const { id, url: address } = one.slack_file ?? {};
  const url = one.image_url ?? address ?? (id ? `${location.origin}/files/${encodeURIComponent(id)}/image` : "");
  const isHere = url.startsWith(`${location.origin}/files/`) || url.startsWith("data:image/");
  if (!isHere) return url ? link(url, one.alt_text || url) : h("span", {}, one.alt_text);
  return h("img", { class: kind, src: url.startsWith("data:") ? url : fileAddress(url), alt: one.alt_text });
}

function image(block) {
  return h("figure", {}, block.title ? h("figcaption", {}, textObject(block.title)) : null, picture(block, "picture"));
}

function container(block, where) {
  const heading = block.rich_text_title ? richText(block.rich_text_title) : textObject(block.title);
  const title = [h("span", { class: "container-title" }, heading), block.subtitle ? h("span", { class: "description" }, textObject(block.subtitle)) : null];
  const inside = h("div", { class: "container-body" }, drawBlocks(block.child_blocks, where));
  if (block.is_collapsible === false) return h("div", { class: "container" }, h("div", { class: "container-head" }, title), inside);
  return h("details", { class: "container", open: !block.default_collapsed }, h("summary", {}, title), inside);
}

function cell(one) {
  if (one.type === "rich_text") return richText(one);
  return plain(String(one.text ?? ""));
}

function table(block) {
  const side = (n) => `align-${block.column_settings?.[n]?.align ?? "left"}`;
  const [head, ...rows] = block.rows;
  return h("div", { class: "table-frame", tabindex: "0" }, h("table", {},
    h("thead", {}, h("tr", {}, (head ?? []).map((one, n) => h("th", { scope: "col", class: side(n) }, cell(one))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, n) => h("td", { class: side(n) }, cell(one))))))));
}

function dataTable(block) {
  const rows = block.rows ?? [];
  return [block.caption ? h("div", { class: "description" }, plain(block.caption)) : null, table({ rows })];
}

const TASK_ICONS = { complete: "check", error: "warning" };
const TASK_WORDS = { pending: "To do", in_progress: "In progress", complete: "Done", error: "Failed" };

function taskCard(task) {
  const mark = TASK_ICONS[task.status] ? icon(TASK_ICONS[task.status], 16) : h("span", { class: "dot" });
  const sources = (task.sources ?? []).map((source) => h("li", {}, link(source.url, source.text)));
  const more = [
    task.details ? h("div", { class: "description" }, richText(task.details)) : null,
    task.output ? h("div", {}, richText(task.output)) : null,
    sources.length ? h("ul", { class: "sources" }, sources) : null,
  ].filter(Boolean);
  const head = [h("span", { class: `task-mark ${task.status}`, title: TASK_WORDS[task.status] }, mark, h("span", { class: "out-of-sight" }, TASK_WORDS[task.status])), plain(task.title)];
  if (!more.length) return h("div", { class: "task" }, h("div", { class: "task-head" }, head));
  return h("details", { class: "task" }, h("summary", { class: "task-head" }, head), h("div", { class: "task-body" }, more));
}

function plan(block) {
  return h("div", { class: "plan" }, h("strong", {}, plain(block.title)), block.tasks?.map(taskCard) ?? null);
}

function alert(block) {
  const level = block.level ?? "default";
  const picture_ = { warning: "warning", error: "warning", success: "check" }[level] ?? "info";
  return h("div", { class: `alert ${level}`, role: level === "error" ? "alert" : "note" }, icon(picture_), h("div", { class: "text" }, textObject(block.text)));
}

function card(block, where) {
  return h("div", { class: "card" },
    block.hero_image ? picture(block.hero_image, "picture") : null,
    block.title ? h("strong", {}, textObject(block.title)) : null,
    block.subtitle ? h("div", { class: "description" }, textObject(block.subtitle)) : null,
    block.body ? h("div", { class: "text" }, textObject(block.body)) : null,
    block.actions ? h("div", { class: "block-actions" }, block.actions.map((one) => interactive(one, block, where))) : null);
}

function carousel(block, where) {
  return h("div", { class: "carousel", tabindex: "0" }, block.elements.map((one) => card(one, where)));
}

function video(block) {
  return link(block.title_url ?? block.video_url, plain(block.title.text));
}

function file(block) {
  return h("span", { class: "quiet" }, `File ${block.external_id}`);
}

function unknown(block) {
  return h("span", { class: "quiet" }, `(a ${block.type} block)`);
}
