"""What the app may do and hear, from its manifest."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.workspace.errors import SlackError
from bot.workspace.records import Json

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

#: Scopes of which a method needs one, from Slack's reference; methods without are free.
NEEDED_SCOPES: dict[str, tuple[str, ...]] = {
    "agents.sessions.rename": ("chat:write",),
    "agents.sessions.setStatus": ("chat:write",),
    "assistant.threads.setStatus": ("assistant:write", "chat:write"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "bots.info": ("users:read",),
    "chat.appendStream": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.join": ("channels:join",),
    "conversations.list": _READ,
    "conversations.members": _READ,
    "conversations.open": ("im:write", "mpim:write"),
    "conversations.replies": _HISTORY,
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "reactions.add": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "reactions.remove": ("reactions:write",),
    "team.info": ("team:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.conversations": _READ,
    "users.info": ("users:read",),
    "users.list": ("users:read",),
}

_MESSAGE_EVENTS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


@dataclass(frozen=True)
class Installation:
    """An app's manifest, as far as the workspace minds it.

    Without a manifest the app may do everything and hears everything.
    """

    scopes: frozenset[str] | None = None
    events: frozenset[str] | None = None
    shortcuts: tuple[Json, ...] = ()
    commands: tuple[Json, ...] = ()
    suggested_prompts: tuple[Json, ...] = field(default=())

    @classmethod
    def of(cls, manifest: Json) -> Installation:
        """Read a manifest."""
        features = manifest.get("features", {})
        scopes = manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())
        events = manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", ())
        return cls(
            scopes=frozenset(scopes),
            events=frozenset(events),
            shortcuts=tuple(features.get("shortcuts", ())),
            commands=tuple(features.get("slash_commands", ())),
            suggested_prompts=tuple(features.get("agent_view", {}).get("suggested_prompts", ())),
        )

    @property
    def provided(self) -> str:
        """The scopes as Slack lists them with each answer."""
        every = {scope for scopes in NEEDED_SCOPES.values() for scope in scopes}
        return ",".join(sorted(self.scopes if self.scopes is not None else every))

    def check_scope(self, method: str) -> None:
        """Refuse a method that the manifest asks no scope for.

        Raises:
            SlackError: `missing_scope`.
        """
        needed = NEEDED_SCOPES.get(method)
        if self.scopes is None or needed is None or self.scopes.intersection(needed):
            return
        raise SlackError("missing_scope", [f"[ERROR] needed: {' or '.join(needed)}"])

    @property
    def may_read_files(self) -> bool:
        """Whether the app may fetch what people uploaded."""
        return self.scopes is None or "files:read" in self.scopes

    def hears(self, event: Json) -> bool:
        """Return whether the app subscribed to an event."""
        if self.events is None:
            return True
        kind = event["type"]
        if kind == "message":
            kind = _MESSAGE_EVENTS[event["channel_type"]]
        return kind in self.events

    def has_command(self, command: str) -> bool:
        """Return whether the app has a slash command; without a manifest it may have any."""
        return self.events is None or any(one["command"] == command for one in self.commands)
