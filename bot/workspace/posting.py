"""Messages: posting, editing, deleting and reacting, with the events that follow."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bot.workspace.objects import message_json
from bot.workspace.payloads import mention_event, message_event
from bot.workspace.records import Channel, Json, Message
from bot.workspace.site import Site
from bot.workspace.state import short_id
from bot.workspace.wording import as_stored, rich_text


def post(site: Site, message: Message) -> Message:
    """Put a message into its channel and tell the app. Called with the lock held."""
    site.state.messages[message.ts] = message
    site.touch(message, *_roots(site, message))
    channel = site.state.channels[message.channel]
    if message.ephemeral_for is None and site.see(channel):
        _tell(site, message, channel)
    return message


def say(
    site: Site,
    user: str,
    channel: Channel,
    text: str,
    thread_ts: str | None = None,
    *,
    files: Sequence[str] = (),
) -> Message:
    """Let a person say something, as typed, with files that they have uploaded, by id."""
    with site.lock:
        names = {u.name: u.id for u in site.state.users.values()}
        channels = {c.name: c.id for c in site.state.channels.values() if c.name}
        stored = as_stored(text, names, channels)
        message = Message(
            channel=channel.id,
            ts=site.state.new_ts(site.timing.clock()),
            user=user,
            text=stored,
            thread_ts=_root(site, channel, thread_ts),
            blocks=rich_text(stored),
            files=list(files),
            client_msg_id=str(uuid.uuid4()),
            has_generated_blocks=True,
        )
        return post(site, message)


def from_app(
    site: Site,
    channel: Channel,
    text: str,
    blocks: Sequence[Json],
    *,
    thread_ts: str | None = None,
    ephemeral_for: str | None = None,
) -> Message:
    """Return a message of the app's, not posted yet."""
    return Message(
        channel=channel.id,
        ts=site.state.new_ts(site.timing.clock()),
        user=site.state.bot_user_id,
        text=text,
        thread_ts=thread_ts,
        blocks=with_ids(blocks),
        is_from_app=True,
        ephemeral_for=ephemeral_for,
    )


def announce_change(site: Site, before: Json, message: Message) -> None:
    """Tell the app that a message was edited. Called with the lock held."""
    site.touch(message)
    channel = site.state.channels[message.channel]
    if message.ephemeral_for is not None or not site.see(channel):
        return
    ts = site.state.new_ts(site.timing.clock())
    site.deliver_event(
        {
            "type": "message",
            "subtype": "message_changed",
            "message": message_json(site.state, message),
            "previous_message": before,
            "channel": channel.id,
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
            "channel_type": channel.kind,
        }
    )


def delete(site: Site, message: Message) -> None:
    """Remove a message and tell the app. Called with the lock held."""
    del site.state.messages[message.ts]
    site.touch(message, *_roots(site, message))
    channel = site.state.channels[message.channel]
    if message.ephemeral_for is not None or not site.see(channel):
        return
    ts = site.state.new_ts(site.timing.clock())
    site.deliver_event(
        {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": message_json(site.state, message),
            "channel": channel.id,
            "hidden": True,
            "deleted_ts": message.ts,
            "ts": ts,
            "event_ts": ts,
            "channel_type": channel.kind,
        }
    )


def react(site: Site, user: str, message: Message, name: str, *, is_added: bool) -> bool:
    """Add or take away a reaction and tell the app. Returns whether anything changed."""
    with site.lock:
        users = message.reactions.setdefault(name, [])
        if (user in users) == is_added:
            return False
        if is_added:
            users.append(user)
        else:
            users.remove(user)
            if not users:
                del message.reactions[name]
        site.touch(message)
        if site.see(site.state.channels[message.channel]):
            site.deliver_event(
                {
                    "type": "reaction_added" if is_added else "reaction_removed",
                    "user": user,
                    "reaction": name,
                    "item": {"type": "message", "channel": message.channel, "ts": message.ts},
                    "item_user": message.user,
                    "event_ts": site.state.new_ts(site.timing.clock()),
                }
            )
        return True


def with_ids(blocks: Sequence[Json]) -> list[Json]:
    """Return blocks where each has a block id and each interactive element an action id."""
    done = []
    for block in blocks:
        block = {**block}  # noqa: PLW2901 - the app's own data stays as it was
        block.setdefault("block_id", short_id())
        for name in ("accessory", "element"):
            if isinstance(block.get(name), dict):
                block[name] = _with_action_id(block[name])
        if block["type"] in ("actions", "context_actions"):
            block["elements"] = [_with_action_id(element) for element in block["elements"]]
        if block["type"] == "container":
            block["child_blocks"] = with_ids(block["child_blocks"])
        done.append(block)
    return done


def _with_action_id(element: Json) -> Json:
    if element.get("type") in ("image", "plain_text", "mrkdwn") or "action_id" in element:
        return element
    return {**element, "action_id": short_id()}


def _roots(site: Site, message: Message) -> list[Message]:
    """Return the root of a reply, which shows how many replies it has."""
    root = site.state.messages.get(message.root_ts)
    return [root] if root is not None and root is not message else []


def _root(site: Site, channel: Channel, thread_ts: str | None) -> str | None:
    """Return the root of the thread: whoever answers a reply answers its root."""
    if thread_ts is None:
        return None
    message = site.state.message(channel.id, thread_ts)
    if message is None:
        raise KeyError(f"there is no message {thread_ts} in {channel.name or channel.id}")
    return message.root_ts


def _tell(site: Site, message: Message, channel: Channel) -> None:
    state = site.state
    is_mention = (
        not message.is_from_app
        and channel.kind != "im"
        and f"<@{state.bot_user_id}>" in message.text
    )
    if is_mention:
        site.deliver_event(mention_event(state, message, channel))
    site.deliver_event(message_event(state, message, channel))
    if not message.is_from_app:
        for _ in range(site.faults.take_copies()):
            if is_mention:
                site.deliver_event(mention_event(state, message, channel))
            site.deliver_event(message_event(state, message, channel))
