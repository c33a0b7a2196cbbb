"""The place itself: state behind one lock, and the way from it to the app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.workspace.delivery import Sockets
from bot.workspace.faults import Faults
from bot.workspace.founding import new_state
from bot.workspace.installation import Installation
from bot.workspace.ledger import Ledger
from bot.workspace.payloads import event_callback
from bot.workspace.people import DEFAULT_CHANNELS, DEFAULT_PEOPLE, ChannelPlan, PersonPlan
from bot.workspace.rates import RateLimits
from bot.workspace.records import Channel, Json, Message, User
from bot.workspace.saving import StateFile
from bot.workspace.state import State
from bot.workspace.tickets import Tickets
from bot.workspace.timing import Timing


class Site:
    """What the Web API, the page and the people of a workspace share.

    It can be used from any thread; what it holds is behind `lock`.

    Attributes:
        timing: How long trigger ids, streams and the like live; may be changed.
        faults: Misbehaviour on demand.
        ledger: Every call the app made.
        rates: Slack's rate limits, off until `rates.is_enforced` is set.
        sockets: The app's Socket Mode connections and the attempts to deliver.
        complaints: What a person would have seen as an error of the app, in words.
        installation: What the app may do and hear: everything, unless a manifest is installed.
    """

    def __init__(
        self,
        *,
        team: str = "Fjellro",
        bot_name: str = "Skredder",
        people: Sequence[PersonPlan] = DEFAULT_PEOPLE,
        channels: Sequence[ChannelPlan] = DEFAULT_CHANNELS,
        state_file: Path | str | None = None,
        timing: Timing | None = None,
    ) -> None:
        """Set the workspace up, or take it from `state_file` when that holds one.

        Args:
            team: The workspace's name.
            bot_name: What the app's user is called.
            people: Who works here.
            channels: Which channels there are, and who is in the private ones.
            state_file: Where to keep everything, so that it survives a restart.
            timing: Durations and the clock.

        Raises:
            ValueError: `state_file` holds something else.
        """
        self.lock = threading.RLock()
        self.timing = timing or Timing()
        self.faults = Faults()
        self.ledger = Ledger()
        self.rates = RateLimits()
        self.tickets = Tickets(self.timing)
        self.complaints: list[str] = []
        #: What people chose in messages: inputs by message and person.
        self.typed: dict[str, dict[str, dict[str, Json]]] = {}
        self.revision = 0
        #: When each message last changed, as a revision; unchanged since the start if missing.
        self.message_revisions: dict[str, int] = {}
        self.installation = Installation()
        self._listeners: list[Callable[[], None]] = []
        self.changed = threading.Condition(self.lock)
        self.state = new_state(team, bot_name, people, channels)
        self.sockets = Sockets(
            self.timing, self.faults, self._event_settled, self._connections_changed
        )
        self.faults.connect(self.sockets.disturb, self._expire_streams)
        self._file: StateFile | None = None
        if state_file is not None:
            self._file = StateFile(Path(state_file), self._snapshot)
            saved = self._file.read()
            if saved is not None:
                self.state = State.from_json(saved)
            self._file.start()
        for body in list(self.state.undelivered.values()):
            self.sockets.send("events_api", body, is_repetition=True)

    @property
    def bot_user_id(self) -> str:
        """The user id of the app."""
        return self.state.bot_user_id

    @property
    def team_id(self) -> str:
        """The id of the workspace."""
        return self.state.team_id

    def user(self, name: str) -> User:
        """Return a user by name or id, the app's own included.

        Raises:
            KeyError: nobody is called that.
        """
        with self.lock:
            for user in self.state.users.values():
                if name in (user.id, user.name, user.handle):
                    return user
        raise KeyError(f"nobody here is called {name!r}")

    def channel(self, name: str) -> Channel:
        """Return a conversation by name (`#general` or `general`) or id.

        Raises:
            KeyError: there is none.
        """
        with self.lock:
            for channel in self.state.channels.values():
                if channel.id == name or (
                    channel.kind != "im" and channel.name == name.removeprefix("#")
                ):
                    return channel
        raise KeyError(f"there is no channel {name!r}")

    def direct_message(self, user: str) -> Channel:
        """Return the direct message between a person and the app; open it if need be."""
        with self.lock:
            found = self.state.direct_message(user)
            if found is None:
                channel_id = "D" + user[1:]
                found = Channel(channel_id, "", "im", [user, self.state.bot_user_id])
                self.state.channels[channel_id] = found
                self.touch()
            return found

    def touch(self, *messages: Message) -> None:
        """Note a change: wake who waits, tell the page, save. Called with the lock held.

        Args:
            messages: Those that look different now, or are gone.
        """
        self.revision += 1
        for message in messages:
            self.message_revisions[message.ts] = self.revision
        self.changed.notify_all()
        if self._file is not None:
            self._file.changed()
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change; returns what ends that."""

        def stop() -> None:
            with self.lock:  # else one that stands behind it would not hear of a change just made
                self._listeners.remove(listener)

        with self.lock:
            self._listeners.append(listener)
        return stop

    def install(self, manifest: Json) -> None:
        """Hold the app to its manifest: its scopes, events, shortcuts, commands and prompts."""
        with self.lock:
            self.installation = Installation.of(manifest)
            self.touch()

    def deliver_event(self, event: Json) -> None:
        """Send an event to the app, and keep it until the app has acknowledged it.

        An event that the app's manifest does not subscribe to is not sent.
        """
        if not self.installation.hears(event):
            return
        body = event_callback(self.state, event)
        self.state.undelivered[body["event_id"]] = body
        self.sockets.send("events_api", body)

    def group_message(self, users: Sequence[str]) -> Channel:
        """Return the direct message between several people and the app; open it if need be."""
        with self.lock:
            members = {self.bot_user_id, *users}
            for channel in self.state.channels.values():
                if channel.kind == "mpim" and set(channel.members) == members:
                    return channel
            names = "--".join(self.state.users[user].handle for user in users)
            channel_id = self.state.new_id("G")
            made = Channel(channel_id, f"mpdm-{names}", "mpim", [self.bot_user_id, *users])
            self.state.channels[channel_id] = made
            self.touch()
            return made

    def see(self, channel: Channel) -> bool:
        """Return whether the app is in a conversation and so is told what happens there."""
        return self.state.bot_user_id in channel.members

    def expire(self, message: Message) -> None:
        """End a message's stream if it has lived too long."""
        stream = message.stream
        if stream is None or stream.state != "in_progress":
            return
        if self.timing.clock() - stream.started_at > self.timing.stream:
            stream.state = "expired"
            self.touch(message)

    def clear_status(self, channel: str, root: str | None) -> None:
        """Take away the assistant's status line, as Slack does when the app answers."""
        self.state.statuses.pop(f"{channel}:{root}", None)

    def add_usergroup(self, handle: str, names: Sequence[str]) -> str:
        """Make a user group of the people named, and return its id.

        Raises:
            KeyError: somebody is not known.
        """
        with self.lock:
            group_id = self.state.new_id("S")
            self.state.usergroups[group_id] = {
                "id": group_id,
                "team_id": self.team_id,
                "is_usergroup": True,
                "name": handle,
                "handle": handle,
                "description": "",
                "users": [self.user(name).id for name in names],
            }
            self.touch()
            return group_id

    def deactivate(self, name: str) -> None:
        """End somebody's account: they can be written to no more.

        Raises:
            KeyError: nobody is called that.
        """
        with self.lock:
            self.user(name).is_deactivated = True
            self.touch()

    def archive(self, channel: str, *, is_archived: bool = True) -> None:
        """Archive a channel, or take it out of the archive.

        Raises:
            KeyError: there is no such channel.
        """
        with self.lock:
            self.channel(channel).is_archived = is_archived
            self.touch()

    def complain(self, sentence: str) -> None:
        """Note what a person would have seen as an error of the app."""
        with self.lock:
            self.complaints.append(sentence)
            self.touch()

    def close(self) -> None:
        """Save for the last time."""
        if self._file is not None:
            self._file.close()

    def _event_settled(self, body: Json) -> None:
        with self.lock:
            self.state.undelivered.pop(str(body.get("event_id")), None)
            self.touch()

    def _connections_changed(self) -> None:
        with self.lock:
            self.touch()

    def _expire_streams(self) -> None:
        with self.lock:
            for message in self.state.messages.values():
                if message.stream is not None and message.stream.state == "in_progress":
                    message.stream.state = "expired"
                    self.touch(message)

    def _snapshot(self) -> Json:
        with self.lock:
            return self.state.to_json()
