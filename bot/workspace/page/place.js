// The middle and the right: a conversation, App Home, and an open thread.

import { context, drawBlocks } from "/page/blocks.js";
import { composer } from "/page/composer.js";
import { drawList } from "/page/conversation.js";
import { fill, h, icon } from "/page/dom.js";
import { act, channel as channelOf, replies, store, user } from "/page/live.js";
import { nameOfPlace } from "/page/message.js";
import { go, here } from "/page/route.js";
import { markSeen, openSidebar } from "/page/sidebar.js";
import { t } from "/page/words.js";

let shownPlace = "";
let shownThread = "";
let shownHome = "";

/** What somebody last asked in each channel, so that the answer's thread opens by itself. */
const asked = new Map();

export function drawPlace() {
  const place = here();
  if (place.isHome) return drawHome();
  const channel = channelOf(place.channel);
  if (!channel) return go(startingPlace());
  const signature = JSON.stringify([store.me, channel.id, channel.is_joined, channel.num_members, prompts(channel)]);
  if (signature !== shownPlace) {
    shownPlace = signature;
    shownHome = "";
    buildConversation(channel);
    if (channel.id === store.rest.dm) act("open", { tab: "messages" }, { isQuiet: true });
  }
  const list = document.getElementById("messages");
  drawList(list, channel.id);
  document.getElementById("prompts")?.toggleAttribute("hidden", list.childElementCount > 0 && !isFreshPrompt(channel));
  markSeen(channel.id);
  if (place.at) showMessage(place.at);
}

function startingPlace() {
  const joined = store.rest.channels.filter((one) => one.is_joined && one.kind === "channel");
  return (joined.find((one) => one.name.startsWith("ask")) ?? joined[0] ?? store.rest.channels[0]).id;
}

function buildConversation(channel) {
  const isDirect = channel.kind === "im";
  const name = nameOfPlace(channel.id);
  const label = isDirect ? t`Write to ${name}` : t`Write in #${name}`;
  const foot = channel.is_joined
    ? composer({ id: "composer-main", channel: channel.id, label, onSent: (ts) => noteAsked(channel.id, ts) })
    : h("div", { class: "join" }, h("span", {}, t`You are looking at #${name}.`),
      h("button", { type: "button", class: "button primary", onclick: () => act("join", { channel: channel.id }) }, t`Join`));
  fill(document.getElementById("place"),
    head(isDirect ? null : channel.kind === "channel" ? "hash" : "lock", name, channel.purpose?.value ?? (isDirect ? t`App` : ""), isDirect ? tabs("messages") : members(channel)),
    h("div", { id: "messages", class: "messages", role: "log", "aria-label": t`Messages in ${name}`, tabindex: "0" }),
    suggestions(channel),
    foot,
  );
  if (matchMedia("(min-width: 700px)").matches && !here().thread) document.getElementById("composer-main")?.focus();
}

function members(channel) {
  return h("span", { class: "quiet" }, channel.num_members === 1 ? t`1 member` : t`${channel.num_members} members`);
}

function head(sign, name, detail, extra) {
  return h("header", { class: "place-head" },
    h("button", { type: "button", class: "icon-button only-narrow", "aria-label": t`Open the menu`, onclick: openSidebar }, icon("menu")),
    h("h1", {}, sign ? icon(sign) : null, name),
    h("span", { class: "purpose" }, detail),
    extra);
}

function tabs(which) {
  const tab = (href, label, name) => h("a", { href, class: "tab", "aria-current": which === name ? "page" : null }, label);
  return h("nav", { class: "tabs", "aria-label": t`App` }, tab("#/home", t`Home`, "home"), tab(`#/${store.rest.dm}`, t`Messages`, "messages"));
}

// Suggested prompts stand in the direct message until somebody has written there.

const prompts = (channel) => (channel.id === store.rest.dm ? store.rest.prompts.prompts : []);

function isFreshPrompt(channel) {
  return channel.id === store.rest.dm && store.rest.prompts.title !== "";
}

function suggestions(channel) {
  const all = prompts(channel);
  if (!all.length) return null;
  return h("div", { id: "prompts", class: "prompts" },
    h("span", { class: "quiet" }, store.rest.prompts.title || t`Try one of these`),
    h("div", {}, all.map((one) => h("button", {
      type: "button", class: "prompt",
      onclick: async () => {
        const { ts } = await act("say", { channel: channel.id, text: one.message });
        if (ts) noteAsked(channel.id, ts);
      },
    }, one.title))));
}

/** Open the thread in which the app answers what this person just asked here. */
export function followAnswer() {
  const { channel, isHome } = here();
  const root = isHome ? null : asked.get(`${store.me}:${channel}`);
  if (!root || !replies(channel, root).some((one) => one.is_from_app)) return;
  asked.delete(`${store.me}:${channel}`);
  const isBusy = document.querySelector("#composer-thread")?.value;
  if (!isBusy) go(channel, root);
}

/** Note what somebody asked. The answer may be there before the question's own receipt. */
function noteAsked(channel, ts) {
  asked.set(`${store.me}:${channel}`, ts);
  followAnswer();
}

// Threads.

export function drawThread() {
  const { channel, thread } = here();
  const node = document.getElementById("thread");
  const root = thread ? store.messages.get(thread) : null;
  node.hidden = !root || root.channel !== channel;
  document.getElementById("layout").classList.toggle("thread-open", !node.hidden);
  if (node.hidden) {
    shownThread = "";
    return node.replaceChildren();
  }
  const signature = `${store.me}:${channel}:${thread}`;
  if (signature !== shownThread) {
    shownThread = signature;
    const name = nameOfPlace(channel);
    const isJoined = channelOf(channel).is_joined;
    fill(node,
      h("header", { class: "place-head" },
        h("h2", {}, t`Thread`),
        h("span", { class: "purpose" }, channelOf(channel).kind === "im" ? name : `#${name}`),
        h("button", { type: "button", class: "icon-button", "aria-label": t`Close the thread`, onclick: closeThread }, icon("close"))),
      h("div", { id: "thread-messages", class: "messages", role: "log", "aria-label": t`Messages in this thread`, tabindex: "0" }),
      isJoined ? composer({ id: "composer-thread", channel, thread, label: t`Reply…` }) : "",
    );
  }
  drawList(document.getElementById("thread-messages"), channel, thread);
}

export function closeThread() {
  go(here().channel);
  document.getElementById("composer-main")?.focus();
}

function showMessage(ts) {
  const node = document.getElementById(`message-${ts}`);
  if (!node || node.dataset.shown) return;
  node.dataset.shown = "1";
  node.classList.add("found");
  node.scrollIntoView({ block: "center" });
}

// App Home.

function drawHome() {
  const { home } = store.rest;
  const name = user(store.rest.bot).name;
  const isNew = shownHome === "" || !shownHome.startsWith(store.me);
  const signature = `${store.me}:${home?.id}:${home?.hash}`;
  shownPlace = "";
  if (isNew) act("open", { tab: "home" }, { isQuiet: true });
  if (signature === shownHome) return;
  const scrolled = isNew ? 0 : document.getElementById("home")?.scrollTop ?? 0;
  const focused = document.activeElement?.dataset.focus;
  shownHome = signature;
  const inside = home
    ? drawBlocks(home.blocks, context(home.id, { isView: true, values: home.state.values }))
    : h("p", { class: "quiet" }, store.rest.is_connected ? t`${name} is getting its Home ready…` : t`${name} is not connected, so there is nothing here yet.`);
  fill(document.getElementById("place"),
    head(null, name, t`App`, tabs("home")),
    h("div", { id: "home", class: "home", tabindex: "0" }, h("div", { class: "home-inside" }, inside)));
  document.getElementById("home").scrollTop = scrolled;
  if (focused && !isNew) document.querySelector(`#home [data-focus="${CSS.escape(focused)}"]`)?.focus();
}
