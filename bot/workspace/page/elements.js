// Interactive elements of Block Kit: buttons, menus, choices and text inputs.

import { h, icon } from "/page/dom.js";
import { confirmed } from "/page/dialog.js";
import { plain } from "/page/entities.js";
import { act, store } from "/page/live.js";
import { menu } from "/page/menu.js";
import { known, t } from "/page/words.js";

/** Which side of feedback buttons somebody pressed, since the page was loaded. */
const votes = new Map();

const key = (block, element) => `${block.block_id}\n${element.action_id}`;
const valueOf = (option) => option.value ?? option.text.text;

/** What is filled in, by block and action, as the workspace takes it. */
export function filledIn(context) {
  const values = {};
  for (const [name, read] of context.readers) {
    const [block, action] = name.split("\n");
    (values[block] ??= {})[action] = read();
  }
  return values;
}

/** Tell the app that an element was used, after asking when the app wants that. */
async function press(context, block, element, value, node) {
  if (element.confirm && !(await confirmed(element.confirm))) return false;
  node?.setAttribute("aria-busy", "true");
  const details = { source: context.source, action_id: element.action_id, block_id: block.block_id, value };
  if (context.isView) details.values = filledIn(context);
  const answer = await act("press", details);
  node?.removeAttribute("aria-busy");
  return answer.is_ok;
}

/** An element as a reader uses it. In an `input` block it is filled in; elsewhere it acts at once. */
export function interactive(element, block, context) {
  const make = MAKERS[element.type];
  if (!make) return h("span", { class: "quiet" }, `(${element.type})`);
  return make(element, block, context);
}

const MAKERS = {
  button, icon_button: iconButton, feedback_buttons: feedbackButtons, workflow_button: button, overflow,
  static_select: select, users_select: select, channels_select: select, conversations_select: select, external_select: select,
  multi_static_select: multiSelect, multi_users_select: multiSelect, multi_channels_select: multiSelect,
  multi_conversations_select: multiSelect,
  radio_buttons: choices, checkboxes: choices,
  plain_text_input: textInput, email_text_input: textInput, url_text_input: textInput, number_input: textInput,
  datepicker: textInput, timepicker: textInput,
};

function button(element, block, context) {
  const node = h("button", {
    type: "button",
    class: `button ${element.style ?? ""}`,
    "aria-label": element.accessibility_label,
    dataset: { focus: key(block, element) + (element.value ?? "") },
    onclick: () => {
      if (element.url && /^https?:/i.test(element.url)) window.open(element.url, "_blank", "noopener");
      press(context, block, element, element.value, node);
    },
  }, plain(element.text.text));
  return node;
}

const ICON_NAMES = { trash: "trash" };

function iconButton(element, block, context) {
  const label = element.accessibility_label ?? element.text.text;
  const node = h("button", {
    type: "button", class: "icon-button", "aria-label": label, title: plain(element.text.text),
    dataset: { focus: key(block, element) },
    onclick: () => press(context, block, element, element.value, node),
  }, icon(ICON_NAMES[element.icon] ?? "bolt"));
  return node;
}

function feedbackButtons(element, block, context) {
  const name = `${store.me}:${context.source}:${element.action_id}`;
  const group = h("span", { class: "feedback", role: "group", "aria-label": t`Was this answer helpful?` });
  const side = (which, picture) => {
    const { text, value, accessibility_label: label } = element[`${which}_button`];
    const node = h("button", {
      type: "button", class: "icon-button", title: plain(text.text), "aria-label": label ?? plain(text.text),
      "aria-pressed": String(votes.get(name) === which), dataset: { focus: `${name}${which}` },
      onclick: async () => {
        votes.set(name, which);
        for (const one of group.children) one.setAttribute("aria-pressed", String(one === node));
        await press(context, block, element, value, node);
      },
    }, icon(picture));
    return node;
  };
  group.append(side("positive", "up"), side("negative", "down"));
  return group;
}

function overflow(element, block, context) {
  const node = h("button", {
    type: "button", class: "icon-button", "aria-label": t`More`, "aria-haspopup": "menu", dataset: { focus: key(block, element) },
    onclick: () => menu(node, element.options.map((option) => ({
      label: plain(option.text.text),
      detail: option.description && plain(option.description.text),
      run: () => {
        if (option.url && /^https?:/i.test(option.url)) window.open(option.url, "_blank", "noopener");
        press(context, block, element, valueOf(option), node);
      },
    }))),
  }, icon("more"));
  return node;
}

// What holds a value: read for the form, or sent at once where it stands alone.

function start(element, block, context) {
  const name = key(block, element);
  if (context.typed.has(name)) return context.typed.get(name);
  const state = context.values?.[block.block_id]?.[element.action_id] ?? initialState(element);
  return state.selected_option ? valueOf(state.selected_option)
    : state.selected_options ? state.selected_options.map(valueOf)
    : state.value ?? state.selected_user ?? state.selected_channel ?? state.selected_conversation
      ?? state.selected_users ?? state.selected_channels ?? state.selected_conversations ?? state.selected_date ?? state.selected_time ?? null;
}

function initialState(element) {
  return {
    value: element.initial_value, selected_option: element.initial_option, selected_options: element.initial_options,
    selected_user: element.initial_user, selected_users: element.initial_users,
    selected_channel: element.initial_channel, selected_channels: element.initial_channels,
    selected_conversation: element.initial_conversation, selected_conversations: element.initial_conversations,
    selected_date: element.initial_date, selected_time: element.initial_time,
  };
}

/** Register how to read an element, and what happens when somebody changes it. */
function holds(element, block, context, node, read, changeEvent = "change") {
  const name = key(block, element);
  context.readers.set(name, read);
  node.addEventListener("input", () => context.typed.set(name, read()));
  const acts = block.type !== "input" || block.dispatch_action;
  if (acts) {
    node.addEventListener(changeEvent, async (event) => {
      if (changeEvent === "keydown" && (event.key !== "Enter" || element.multiline)) return;
      event.preventDefault();
      const before = start(element, block, { ...context, typed: new Map() });
      if (!(await press(context, block, element, read(), node))) restore(node, before);
    });
  }
  return node;
}

function restore(node, value) {
  if (node.tagName === "SELECT") node.value = value ?? "";
  for (const box of node.querySelectorAll?.("input") ?? []) box.checked = [value].flat().includes(box.value);
}

function optionsOf(element) {
  const people = store.rest.users.filter((one) => !one.is_bot);
  const places = store.rest.channels.filter((one) => one.name);
  if (element.type.includes("users_select")) return people.map((one) => [one.id, `${one.name} (${known(one.role)})`]);
  if (element.type.includes("channels_select") || element.type.includes("conversations_select")) {
    return places.map((one) => [one.id, `#${one.name}`]);
  }
  const groups = element.option_groups ?? [{ options: element.options ?? [] }];
  return groups.flatMap((group) => group.options.map((option) => [valueOf(option), plain(option.text.text), group.label?.text]));
}

function select(element, block, context) {
  const current = start(element, block, context);
  const placeholder = plain(element.placeholder?.text ?? t`Choose…`);
  const node = h("select", { class: "select", dataset: { focus: key(block, element) } },
    h("option", { value: "", disabled: block.type === "input" && !block.optional, selected: current === null }, placeholder));
  let group = node;
  for (const [value, label, heading] of optionsOf(element)) {
    if (heading && group.label !== heading) {
      group = h("optgroup", { label: heading });
      node.append(group);
    }
    group.append(h("option", { value, selected: value === current }, label));
  }
  if (block.type !== "input") node.setAttribute("aria-label", placeholder);
  return holds(element, block, context, node, () => node.value || null);
}

function multiSelect(element, block, context) {
  return boxes(element, block, context, optionsOf(element).map(([value, text]) => ({ value, nodes: text })), "checkbox");
}

function choices(element, block, context) {
  const options = element.options.map((option) => ({
    value: valueOf(option),
    nodes: [
      h("span", {}, context.text(option.text)),
      option.description ? h("span", { class: "description" }, context.text(option.description)) : null,
    ],
  }));
  return boxes(element, block, context, options, element.type === "checkboxes" ? "checkbox" : "radio");
}

function boxes(element, block, context, options, kind) {
  const current = [start(element, block, context) ?? []].flat();
  const name = `choice-${Math.random().toString(36).slice(2)}`;
  const node = h("div", { class: "choices", role: kind === "radio" ? "radiogroup" : "group", "aria-label": plain(block.label?.text ?? t`Choices`) },
    options.map(({ value, nodes }) => h("label", { class: "choice" },
      h("input", { type: kind, name, value, checked: current.includes(value), dataset: { focus: key(block, element) + value } }),
      h("span", {}, nodes))));
  const chosen = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
  return holds(element, block, context, node, () => (kind === "radio" ? chosen()[0] ?? null : chosen()));
}

const TYPES = { email_text_input: "email", url_text_input: "url", number_input: "number", datepicker: "date", timepicker: "time" };

function textInput(element, block, context) {
  const props = {
    class: "input", placeholder: plain(element.placeholder?.text ?? ""), maxlength: element.max_length ?? (TYPES[element.type] ? null : 3000),
    value: start(element, block, context) ?? "", dataset: { focus: key(block, element), wanted: element.focus_on_load ? "1" : "" },
  };
  const node = element.multiline ? h("textarea", { ...props, rows: block.optional && !props.value ? 2 : 5 }) : h("input", { ...props, type: TYPES[element.type] ?? "text" });
  return holds(element, block, context, node, () => node.value || null, TYPES[element.type] ? "change" : "keydown");
}
