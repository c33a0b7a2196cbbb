// Where somebody is: the part of the address behind the #.

/** {channel, thread, at, isHome} of the address. */
export function here() {
  const [first = "", kind, ts] = location.hash.replace(/^#\/?/, "").split("/");
  if (first === "home") return { isHome: true };
  return { channel: first, thread: kind === "thread" ? ts : undefined, at: kind === "at" ? ts : undefined };
}

/** Go to a conversation, and open one of its threads if that is given. */
export function go(channel, thread) {
  location.hash = thread ? `#/${channel}/thread/${thread}` : `#/${channel}`;
}
