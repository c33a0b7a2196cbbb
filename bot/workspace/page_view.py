"""What somebody sees in the workspace, as data for the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.workspace.objects import channel_json, message_json, view_json
from bot.workspace.records import Channel, Json, Message
from bot.workspace.site import Site


def messages_seen(site: Site, user: str, since: int) -> tuple[list[Json], list[str]]:
    """Return the messages that changed after revision `since`, and the `ts` of those gone.

    With `since` below zero it is every message the person can see. Called with the lock held.
    """
    if since < 0:
        return [_message(site, m) for m in _visible(site, user, site.state.messages.values())], []
    changed = [ts for ts, at in site.message_revisions.items() if at > since]
    there = [site.state.messages[ts] for ts in changed if ts in site.state.messages]
    gone = [ts for ts in changed if ts not in site.state.messages]
    return [_message(site, m) for m in _visible(site, user, there)], gone


def surroundings(site: Site, user: str) -> Json:
    """Return everything but the messages. Called with the lock held."""
    state = site.state
    channels = [c for c in state.channels.values() if _sees(c, user)]
    ids = {channel.id for channel in channels}
    now = site.timing.clock()
    home = state.homes.get(user)
    return {
        "team": {"id": state.team_id, "name": state.team_name},
        "me": user,
        "locale": state.users[user].locale,
        "bot": state.bot_user_id,
        "users": [
            {"id": u.id, "name": u.name, "role": u.role, "is_bot": u.is_bot}
            for u in state.users.values()
        ],
        "channels": [
            {**channel_json(state, c), "kind": c.kind, "is_joined": user in c.members}
            for c in channels
        ],
        "dm": site.direct_message(user).id,
        "statuses": [
            {
                "channel": s.channel,
                "thread_ts": s.thread_ts,
                "status": s.status,
                "loading_messages": s.loading_messages,
            }
            for s in state.statuses.values()
            if s.channel in ids and now - s.set_at < site.timing.status
        ],
        "sessions": [
            {
                "channel": s.channel,
                "thread_ts": s.thread_ts,
                "status": s.status,
                "title": s.title,
            }
            for s in state.sessions.values()
            if s.channel in ids
        ],
        "prompts": _prompts(site, user),
        "modals": [view_json(state, view) for view in state.modals.get(user, ())],
        "home": view_json(state, home) if home is not None else None,
        "shortcuts": list(site.installation.shortcuts),
        "commands": list(site.installation.commands),
        "is_connected": site.sockets.connections > 0,
    }


def _prompts(site: Site, user: str) -> Json:
    prompts = site.state.prompts.get(site.direct_message(user).id)
    if prompts is not None:
        return {"title": prompts.title, "prompts": prompts.prompts}
    return {"title": "", "prompts": list(site.installation.suggested_prompts)}


def _visible(site: Site, user: str, messages: Iterable[Message]) -> Iterator[Message]:
    for message in messages:
        if message.ephemeral_for in (None, user) and _sees(
            site.state.channels[message.channel], user
        ):
            yield message


def _message(site: Site, message: Message) -> Json:
    return {
        **message_json(site.state, message),
        "channel": message.channel,
        "is_from_app": message.is_from_app,
    }


def _sees(channel: Channel, user: str) -> bool:
    """Return whether a person sees a conversation: public ones, and those they are in."""
    return channel.kind == "channel" or user in channel.members
