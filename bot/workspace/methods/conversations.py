"""conversations.*: channels, who is in them, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.workspace.errors import SlackError
from bot.workspace.methods.paging import page
from bot.workspace.methods.places import conversation, joined, message_in, somebody
from bot.workspace.objects import channel_json, message_json
from bot.workspace.records import Json, Message
from bot.workspace.site import Site

_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def info(site: Site, arguments: Json) -> Json:
    """Serve conversations.info."""
    return {"channel": channel_json(site.state, conversation(site, arguments["channel"]))}


def list_all(site: Site, arguments: Json) -> Json:
    """Serve conversations.list: public channels, and private ones the app is in."""
    return _listed(site, arguments, site.bot_user_id, is_only_joined=False)


def list_of_user(site: Site, arguments: Json) -> Json:
    """Serve users.conversations."""
    user = somebody(site, arguments.get("user", site.bot_user_id))
    return _listed(site, arguments, user.id, is_only_joined=True)


def history(site: Site, arguments: Json) -> Json:
    """Serve conversations.history: newest first, replies left out."""
    channel = joined(site, arguments["channel"])
    found = [m for m in site.state.in_channel(channel.id) if not m.is_reply]
    found = _between(found, arguments)[::-1]
    return _messages(site, found, arguments)


def replies(site: Site, arguments: Json) -> Json:
    """Serve conversations.replies: the root, then its replies, oldest first."""
    channel = joined(site, arguments["channel"])
    try:
        message = message_in(site, channel, arguments["ts"])
    except SlackError as error:
        raise SlackError("thread_not_found") from error
    if message.is_reply:
        return _messages(site, [message], arguments)
    root, *rest = site.state.thread(channel.id, message.ts)
    return _messages(site, [root, *_between(rest, arguments)], arguments)


def open_direct(site: Site, arguments: Json) -> Json:
    """Serve conversations.open, for one person or several."""
    if "channel" in arguments:
        channel = conversation(site, arguments["channel"])
    else:
        users = [one for one in arguments.get("users", "").split(",") if one]
        if not users:
            raise SlackError("no_users")
        if any(somebody(site, one).is_bot for one in users):
            raise SlackError("cannot_dm_bot")
        is_group = len(users) > 1
        channel = site.group_message(users) if is_group else site.direct_message(users[0])
    whole = channel_json(site.state, channel)
    return {"channel": whole if arguments.get("return_im") else {"id": channel.id}}


def members(site: Site, arguments: Json) -> Json:
    """Serve conversations.members."""
    channel = conversation(site, arguments["channel"])
    found, more = page(channel.members, arguments)
    return {"members": list(found), **more}


def join(site: Site, arguments: Json) -> Json:
    """Serve conversations.join."""
    channel = conversation(site, arguments["channel"])
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if not site.see(channel):
        channel.members.append(site.bot_user_id)
        site.touch()
    return {"channel": channel_json(site.state, channel)}


def _listed(site: Site, arguments: Json, user: str, *, is_only_joined: bool) -> Json:
    types = arguments.get("types", "public_channel").split(",")
    unknown = [one for one in types if one not in _KINDS]
    if unknown:
        raise SlackError("invalid_types", [f"[ERROR] types: {unknown[0]}"])
    kinds = {_KINDS[one] for one in types}
    channels = [
        channel
        for channel in site.state.channels.values()
        if channel.kind in kinds
        and (user in channel.members or (channel.kind == "channel" and not is_only_joined))
        and (not channel.is_private or site.see(channel))
    ]
    found, more = page(channels, arguments)
    return {"channels": [channel_json(site.state, channel) for channel in found], **more}


def _between(messages: Sequence[Message], arguments: Json) -> list[Message]:
    oldest, latest = _time(arguments, "oldest"), _time(arguments, "latest")
    is_inclusive = bool(arguments.get("inclusive"))
    found = []
    for message in messages:
        ts = float(message.ts)
        if oldest is not None and (ts < oldest or (ts == oldest and not is_inclusive)):
            continue
        if latest is not None and (ts > latest or (ts == latest and not is_inclusive)):
            continue
        found.append(message)
    return found


def _time(arguments: Json, name: str) -> float | None:
    value: Any = arguments.get(name)
    if not value or (name == "oldest" and value == "0"):
        return None
    try:
        return float(value)
    except ValueError as error:
        raise SlackError(f"invalid_ts_{name}") from error


def _messages(site: Site, messages: Sequence[Message], arguments: Json) -> Json:
    found, more = page(messages, arguments)
    with_metadata = bool(arguments.get("include_all_metadata"))
    for message in found:
        site.expire(message)
    return {
        "messages": [message_json(site.state, m, with_metadata=with_metadata) for m in found],
        "has_more": "response_metadata" in more,
        "pin_count": 0,
        **more,
    }
