// The connection to the workspace: what somebody sees comes in, gestures go out.

import { toast } from "/page/dom.js";
import { t } from "/page/words.js";

const token = document.querySelector('meta[name="page-token"]').content;

/** Everything that the page knows. `rest` is all but the messages. */
export const store = { me: sessionStorage.getItem("me") ?? "", rest: null, messages: new Map() };

let socket = null;
let onUpdate = () => {};

/** Begin to follow what the person sees; `callback()` is called after every change. */
export function follow(callback) {
  onUpdate = callback;
  connect();
}

/** Become somebody else. */
export function become(user) {
  store.me = user;
  sessionStorage.setItem("me", user);
  const old = socket;
  socket = null;
  old?.close();
  connect();
}

function connect() {
  const as = encodeURIComponent(store.me || "Kari");
  const address = `ws://${location.host}/ui/live?token=${encodeURIComponent(token)}&as=${as}`;
  const mine = new WebSocket(address);
  socket = mine;
  let isFirst = true;
  mine.addEventListener("message", (event) => {
    if (mine !== socket) return;
    const update = JSON.parse(event.data);
    if (isFirst) store.messages = new Map();
    isFirst = false;
    for (const message of update.messages ?? []) store.messages.set(message.ts, message);
    for (const ts of update.gone ?? []) store.messages.delete(ts);
    if (update.rest) {
      store.rest = update.rest;
      store.me = update.rest.me;
    }
    document.getElementById("offline").hidden = true;
    onUpdate();
  });
  mine.addEventListener("close", () => {
    if (mine !== socket) return;
    setTimeout(() => reconnect(mine), 1000);
  });
}

/** After a restart the token is another one, and so the page is loaded anew. */
async function reconnect(from) {
  if (from !== socket) return;
  document.getElementById("offline").hidden = false;
  try {
    const page = await (await fetch("/", { cache: "no-store" })).text();
    if (!page.includes(token)) return location.reload();
    connect();
  } catch {
    setTimeout(() => reconnect(from), 1000);
  }
}

/** Do something as the person; says why if it did not work. Returns the answer. */
export async function act(gesture, details = {}, { isQuiet = false } = {}) {
  let answer;
  try {
    const response = await fetch("/ui/act", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Page-Token": token },
      body: JSON.stringify({ as: store.me, gesture, ...details }),
    });
    answer = await response.json();
  } catch {
    answer = { is_ok: false, error: t`The workspace does not answer.` };
  }
  if (!answer.is_ok && answer.error && !isQuiet) toast(explained(answer.error));
  return answer;
}

function explained(error) {
  if (error === "dispatch_failed") return t`That did not work: the app is not connected.`;
  if (error === "operation_timeout") return t`That did not work: the app did not answer in time.`;
  if (error === "not_a_command") return t`There is no such command.`;
  return error;
}

/** The address of a file, readable by this page. */
export function fileAddress(url) {
  return `${new URL(url).pathname}?page_token=${encodeURIComponent(token)}`;
}

export const user = (id) => store.rest.users.find((one) => one.id === id);
export const channel = (id) => store.rest.channels.find((one) => one.id === id);
export const bot = () => user(store.rest.bot);

/** The messages of a channel that stand in the channel itself, oldest first. */
export function topMessages(id) {
  return sorted((m) => m.channel === id && (!m.thread_ts || m.thread_ts === m.ts || (m.is_ephemeral && !rootIsKnown(m))));
}

/** The replies of a thread, oldest first, ephemeral ones included. */
export function replies(id, root) {
  return sorted((m) => m.channel === id && m.thread_ts === root && m.ts !== root);
}

function rootIsKnown(message) {
  return store.messages.has(message.thread_ts);
}

function sorted(filter) {
  return [...store.messages.values()].filter(filter).sort((a, b) => Number(a.ts) - Number(b.ts));
}
