"""Everything a workspace remembers, as plain data that can be written to a file and read back."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.workspace.records import (
    AssistantStatus,
    Channel,
    File,
    Json,
    Message,
    Prompts,
    Session,
    Stream,
    User,
    View,
)

#: Written into the file; a file of another shape is not read.
FORMAT = 1


@dataclass
class State:
    """The data of a workspace. Whoever uses it holds the workspace's lock."""

    team_id: str
    team_name: str
    app_id: str
    bot_id: str
    bot_user_id: str
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    modals: dict[str, list[View]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    usergroups: dict[str, Json] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    statuses: dict[str, AssistantStatus] = field(default_factory=dict)
    prompts: dict[str, Prompts] = field(default_factory=dict)
    #: Events the app has not acknowledged, by event id.
    undelivered: dict[str, Json] = field(default_factory=dict)
    last_ts: float = 0.0
    #: Where the server is, such as `http://127.0.0.1:8765`; set when it starts.
    origin: str = ""

    def new_ts(self, now: float) -> str:
        """Return a timestamp that no other message has and that is later than all before."""
        self.last_ts = max(round(now, 6), round(self.last_ts + 0.000001, 6))
        return f"{self.last_ts:.6f}"

    def new_id(self, prefix: str) -> str:
        """Return an id that looks like Slack's, such as `V0A1B2C3D4E`."""
        return prefix + uuid.uuid4().hex[:10].upper()

    def thread(self, channel: str, thread_ts: str) -> list[Message]:
        """Return the root and the replies of a thread, oldest first, without ephemerals."""
        return [
            m
            for m in self.in_channel(channel)
            if m.ts == thread_ts or (m.is_reply and m.thread_ts == thread_ts)
        ]

    def in_channel(self, channel: str) -> list[Message]:
        """Return a channel's messages with replies, oldest first, without ephemerals."""
        # They are kept in the order in which they were posted, which is the order of their `ts`.
        return [
            m for m in self.messages.values() if m.channel == channel and m.ephemeral_for is None
        ]

    def message(self, channel: str, ts: str) -> Message | None:
        """Return one message, unless it is ephemeral or elsewhere."""
        found = self.messages.get(ts)
        if found is None or found.channel != channel or found.ephemeral_for is not None:
            return None
        return found

    def direct_message(self, user: str) -> Channel | None:
        """Return the direct message between a person and the app, if it was ever opened."""
        for channel in self.channels.values():
            if channel.kind == "im" and user in channel.members:
                return channel
        return None

    def view(self, view_id: str) -> View | None:
        """Return a view that is open, or an App Home."""
        for view in self.all_views():
            if view.id == view_id:
                return view
        return None

    def all_views(self) -> Iterable[View]:
        """Return every open modal and every App Home."""
        for stack in self.modals.values():
            yield from stack
        yield from self.homes.values()

    def to_json(self) -> Json:
        """Return the state as JSON data."""
        data = asdict(self)
        for record in data["files"].values():
            record["content"] = base64.b64encode(record["content"]).decode("ascii")
        return {"format": FORMAT, **data}

    @classmethod
    def from_json(cls, data: Json) -> State:
        """Return the state that `to_json` gave.

        Raises:
            ValueError: the data is not of this format.
        """
        if data.get("format") != FORMAT:
            raise ValueError(f"workspace state has format {data.get('format')!r}, not {FORMAT}")
        plain = {key: value for key, value in data.items() if key != "format"}
        for record in plain["files"].values():
            record["content"] = base64.b64decode(record["content"])
        for record in plain["messages"].values():
            if record["stream"] is not None:
                record["stream"] = Stream(**record["stream"])
        makers: dict[str, Any] = {
            "users": User,
            "channels": Channel,
            "messages": Message,
            "homes": View,
            "files": File,
            "sessions": Session,
            "statuses": AssistantStatus,
            "prompts": Prompts,
        }
        for key, make in makers.items():
            plain[key] = {name: make(**record) for name, record in plain[key].items()}
        plain["modals"] = {
            user: [View(**view) for view in stack] for user, stack in plain["modals"].items()
        }
        return cls(**plain)


def short_id() -> str:
    """Return five characters, as Slack gives to blocks and actions that have no id."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=5))  # noqa: S311
