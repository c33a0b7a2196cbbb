"""The workspace as tests and tours use it: its people, what they see, and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

from bot.workspace.objects import message_json, view_json
from bot.workspace.person import Person
from bot.workspace.records import Json
from bot.workspace.site import Site

Found = TypeVar("Found")


class Workspace(Site):
    """A Slack workspace on this machine, with one app installed.

    `WorkspaceServer` puts it on a port, for the app and for the page; `person` gives somebody to
    act as. See `Site` for what else it holds.
    """

    def person(self, name: str) -> Person:
        """Return somebody by name or id, to act as them.

        Raises:
            KeyError: nobody is called that.
        """
        with self.lock:
            return Person(self, self.user(name))

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """Return a channel's top messages, or a thread with its root, as Slack shows them.

        Oldest first, with metadata, without ephemeral messages.
        """
        with self.lock:
            place = self.channel(channel).id
            if thread_ts is None:
                found = [m for m in self.state.in_channel(place) if not m.is_reply]
            else:
                found = self.state.thread(place, thread_ts)
            return [message_json(self.state, m, with_metadata=True) for m in found]

    def message(self, ts: str) -> Json:
        """Return one message by its timestamp, ephemeral or not.

        Raises:
            KeyError: there is none.
        """
        with self.lock:
            found = self.state.messages[ts]
            return message_json(self.state, found, with_metadata=True) | {"channel": found.channel}

    def ephemerals_of(self, user: str) -> list[Json]:
        """Return what only this person can see, oldest first."""
        with self.lock:
            user_id = self.user(user).id
            found = [m for m in self.state.messages.values() if m.ephemeral_for == user_id]
            return [message_json(self.state, m) | {"channel": m.channel} for m in found]

    def views_of(self, user: str) -> list[Json]:
        """Return the modals on somebody's screen, the topmost last."""
        with self.lock:
            stack = self.state.modals.get(self.user(user).id, [])
            return [view_json(self.state, view) for view in stack]

    def home_of(self, user: str) -> Json | None:
        """Return somebody's App Home as the app published it."""
        with self.lock:
            view = self.state.homes.get(self.user(user).id)
            return view_json(self.state, view) if view is not None else None

    def status_of(self, channel: str, thread_ts: str) -> str:
        """Return what the app says it is doing in a thread, or an empty text."""
        with self.lock:
            place = self.channel(channel).id
            found = self.state.statuses.get(f"{place}:{thread_ts}")
            if found is None or self.timing.clock() - found.set_at > self.timing.status:
                return ""
            return found.status

    def wait_for(
        self,
        predicate: Callable[[], Found | Literal[False] | None],
        timeout: float = 10.0,
        what: str = "",
    ) -> Found:
        """Wait until `predicate` gives something true, and return that.

        Args:
            predicate: Asked after every change, without the lock: it may look at anything.
            timeout: Seconds.
            what: What is waited for, for the error.

        Raises:
            TimeoutError: it did not happen.
        """
        end = time.monotonic() + timeout
        while True:
            with self.lock:
                seen = self.revision
            if found := predicate():
                return found
            left = end - time.monotonic()
            if left <= 0:
                refused = [f"{c.method}: {c.error}" for c in self.ledger.refused()][-5:]
                raise TimeoutError(
                    f"waited {timeout:g} s in vain for {what or 'the predicate'}; last refused "
                    f"calls: {refused}; complaints: {self.complaints[-5:]}"
                )
            with self.changed:
                if self.revision == seen:
                    # Time passes too: a predicate may look at clocks or at things outside.
                    self.changed.wait(min(left, 0.1))

    def wait_until_connected(self, timeout: float = 10.0) -> None:
        """Wait for the app's first Socket Mode connection."""
        self.wait_for(lambda: self.sockets.connections, timeout, "the app's connection")
