"""What a workspace is made of: people, channels, messages, views, files, sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass
class User:
    """Somebody in the workspace. `role` is shown to whoever chooses a person on the page."""

    id: str
    name: str
    role: str
    is_bot: bool = False
    is_admin: bool = False
    locale: str = "en-US"
    is_deactivated: bool = False

    @property
    def handle(self) -> str:
        """The name Slack uses in `user_name` fields."""
        return self.name.lower().replace(" ", ".")


@dataclass
class Channel:
    """A channel, a private channel (`group`) or a direct message (`im`, several people `mpim`)."""

    id: str
    name: str
    kind: Literal["channel", "group", "im", "mpim"]
    members: list[str] = field(default_factory=list)
    purpose: str = ""
    is_shared: bool = False
    is_archived: bool = False

    @property
    def is_private(self) -> bool:
        """Whether only members can see that it exists."""
        return self.kind != "channel"


@dataclass
class Stream:
    """A message that is being written. `state` ends as completed, expired or stopped."""

    state: Literal["in_progress", "completed", "expired", "stopped"]
    started_at: float
    recipient: str | None
    is_plan: bool = False
    #: The blocks so far, in the order they came: text, task cards, a plan, blocks sent as chunks.
    parts: list[Json] = field(default_factory=list)


@dataclass
class Message:
    """A message. With `ephemeral_for` set, only that person ever sees it."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    is_from_app: bool = False
    edited_ts: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    ephemeral_for: str | None = None
    client_msg_id: str | None = None
    stream: Stream | None = None
    #: Whether the blocks were made from the text, as they are for people and for markdown_text.
    has_generated_blocks: bool = False

    @property
    def root_ts(self) -> str:
        """The `ts` of the thread this message is in, or would start."""
        return self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread, below its root."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class View:
    """A modal on somebody's screen, or somebody's App Home."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    #: What was typed so far, as Slack sends it: block id, action id, element state.
    values: dict[str, dict[str, Json]] = field(default_factory=dict)


@dataclass
class File:
    """A file. It is in the workspace from `is_complete` on; before, only its upload is."""

    id: str
    name: str
    title: str
    mimetype: str
    size: int
    user: str
    created: int
    content: bytes = b""
    alt_text: str = ""
    channels: list[str] = field(default_factory=list)
    is_complete: bool = False


@dataclass
class Session:
    """An agent session: what the app says it is doing in one thread."""

    channel: str
    thread_ts: str
    status: str = "active"
    title: str = ""
    initiator: str | None = None


@dataclass
class AssistantStatus:
    """The line under a thread that says what the assistant does just now."""

    channel: str
    thread_ts: str
    status: str
    loading_messages: list[str]
    set_at: float


@dataclass
class Prompts:
    """The suggestions the assistant makes in a direct message."""

    channel: str
    title: str
    prompts: list[dict[str, str]]
