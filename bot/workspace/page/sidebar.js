// The left column: who one is, and where one can go.

import { fill, h, icon } from "/page/dom.js";
import { become, store, user } from "/page/live.js";
import { avatar } from "/page/message.js";
import { here } from "/page/route.js";
import { known, t } from "/page/words.js";

const loadedAt = Date.now() / 1000;
let shown = "";

const seenKey = (channel) => `seen:${store.me}:${channel}`;

/** Note that everything in a conversation has been seen. */
export function markSeen(channel) {
  const last = Math.max(0, ...[...store.messages.values()].filter((m) => m.channel === channel).map((m) => Number(m.ts)));
  sessionStorage.setItem(seenKey(channel), String(last));
}

function unread(channel) {
  const seen = Number(sessionStorage.getItem(seenKey(channel)) ?? loadedAt);
  let count = 0;
  for (const message of store.messages.values()) {
    if (message.channel === channel && message.user !== store.me && Number(message.ts) > seen) count += 1;
  }
  return count;
}

export function drawSidebar() {
  const { rest } = store;
  const place = here();
  const rows = rest.channels.filter((one) => one.kind !== "im").map((one) => ({
    href: `#/${one.id}`, name: one.kind === "mpim" ? groupName(one) : one.name, sign: one.kind === "channel" ? "hash" : "lock",
    isHere: place.channel === one.id, unread: unread(one.id),
  }));
  const bot = user(rest.bot);
  const apps = [
    { href: `#/${rest.dm}`, name: bot.name, face: rest.bot, isHere: place.channel === rest.dm, unread: unread(rest.dm), isOn: rest.is_connected },
    { href: "#/home", name: t`${bot.name} Home`, sign: "home", isHere: place.isHome, unread: 0 },
  ];
  const signature = JSON.stringify([rows, apps, rest.users, store.me, rest.team]);
  if (signature === shown) return;
  shown = signature;
  const node = document.getElementById("sidebar");
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  fill(node,
    h("div", { class: "team" },
      h("span", { class: "team-name" }, rest.team.name),
      h("button", { type: "button", class: "icon-button only-narrow", "aria-label": t`Close the menu`, onclick: closeSidebar }, icon("close"))),
    whoAmI(),
    group("channels", t`Channels`, rows),
    group("app", t`App`, apps),
    rest.is_connected ? null : h("p", { class: "no-app", role: "status" }, icon("warning", 16), t`${bot.name} is not connected. What you write waits for it.`),
  );
  if (focused) node.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  const total = [...rows, ...apps].reduce((sum, one) => sum + one.unread, 0);
  document.title = `${total ? `(${total}) ` : ""}${rest.team.name}`;
}

function groupName(channel) {
  return channel.name.replace(/^mpdm-/, "").split("--").join(", ");
}

function whoAmI() {
  const people = store.rest.users.filter((one) => !one.is_bot);
  return h("label", { class: "who" },
    h("span", { class: "who-label" }, t`You are`),
    h("span", { class: "who-box" },
      avatar(store.me),
      h("select", { dataset: { focus: "who" }, onchange: (event) => become(event.target.value) },
        people.map((one) => h("option", { value: one.id, selected: one.id === store.me }, `${one.name} (${known(one.role)})`)))));
}

function group(name, title, rows) {
  const id = `group-${name}`;
  return h("section", { "aria-labelledby": id },
    h("h2", { id }, title),
    h("ul", {}, rows.map((row) => h("li", {},
      h("a", {
        href: row.href, class: `row ${row.unread ? "has-unread" : ""}`, "aria-current": row.isHere ? "page" : null,
        dataset: { focus: row.href }, onclick: closeSidebar,
      },
      row.face ? avatar(row.face, "tiny") : icon(row.sign, 16),
      h("span", { class: "row-name" }, row.name),
      row.isOn === undefined ? null : h("span", { class: row.isOn ? "presence on" : "presence", title: row.isOn ? t`connected` : t`not connected` }),
      row.unread ? h("span", { class: "count" }, String(row.unread), h("span", { class: "out-of-sight" }, ` ${t`unread`}`)) : null)))));
}

export function openSidebar() {
  document.getElementById("layout").classList.add("menu-open");
  document.querySelector("#sidebar select")?.focus();
}

export function closeSidebar() {
  document.getElementById("layout").classList.remove("menu-open");
}
