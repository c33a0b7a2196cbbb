"""The bodies that Slack sends to an app, as pure functions of what happened."""

from __future__ import annotations

import time
import uuid
from typing import Any

from bot.workspace.objects import message_json
from bot.workspace.records import Channel, Json, Message, User
from bot.workspace.state import State

#: A verification token: apps that still read it find one.
_VERIFICATION = "workspace-verification"


def event_callback(state: State, event: Json) -> Json:
    """Return the outer body of an event, with an event id of its own."""
    return {
        "token": _VERIFICATION,
        "team_id": state.team_id,
        "context_team_id": state.team_id,
        "context_enterprise_id": None,
        "api_app_id": state.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": state.new_id("Ev"),
        "event_time": int(float(event.get("event_ts") or time.time())),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team_id,
                "user_id": state.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": _is_shared(state, event),
        "event_context": f"4-{uuid.uuid4().hex}",
    }


def _is_shared(state: State, event: Json) -> bool:
    channel = state.channels.get(str(event.get("channel")))
    return channel is not None and channel.is_shared


def message_event(state: State, message: Message, channel: Channel) -> Json:
    """Return the `message` event of a new message."""
    event = message_json(state, message)
    for name in ("reply_count", "reply_users", "reply_users_count", "latest_reply", "subscribed"):
        event.pop(name, None)
    if not message.is_reply:
        event.pop("thread_ts", None)
    if message.files:
        event["subtype"] = "file_share"
    return event | {
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": channel.kind,
    }


def mention_event(state: State, message: Message, channel: Channel) -> Json:
    """Return the `app_mention` event of the same message."""
    event = message_event(state, message, channel)
    event.pop("channel_type")
    event.pop("subtype", None)
    return event | {"type": "app_mention"}


def interaction(state: State, kind: str, user: User, trigger_id: str | None) -> Json:
    """Return what every interactive payload has."""
    data: Json = {
        "type": kind,
        "team": {"id": state.team_id, "domain": state.team_name.lower()},
        "user": {
            "id": user.id,
            "username": user.handle,
            "name": user.handle,
            "team_id": state.team_id,
        },
        "api_app_id": state.app_id,
        "token": _VERIFICATION,
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if trigger_id is not None:
        data["trigger_id"] = trigger_id
    return data


def channel_reference(channel: Channel) -> Json:
    """Return a channel as interactive payloads name it."""
    names = {"im": "directmessage", "group": "privategroup"}
    return {"id": channel.id, "name": names.get(channel.kind, channel.name)}


def slash_command(
    state: State, user: User, channel: Channel, command: str, text: str, **urls: str
) -> Json:
    """Return a slash command's body. `urls` are its response_url and trigger_id."""
    body: dict[str, Any] = {
        "token": _VERIFICATION,
        "team_id": state.team_id,
        "team_domain": state.team_name.lower(),
        "channel_id": channel.id,
        "channel_name": channel_reference(channel)["name"],
        "user_id": user.id,
        "user_name": user.handle,
        "command": command,
        "text": text,
        "api_app_id": state.app_id,
        "is_enterprise_install": "false",
        **urls,
    }
    return body
