"""Finding what a call names: a conversation, a message, a person."""

from __future__ import annotations

from bot.workspace.errors import SlackError
from bot.workspace.records import Channel, Message, User
from bot.workspace.site import Site


def conversation(site: Site, name: str) -> Channel:
    """Return a conversation the app can see, by id.

    Raises:
        SlackError: `channel_not_found`, also for private channels the app is not in.
    """
    found = site.state.channels.get(name)
    if found is None or (found.is_private and not site.see(found)):
        raise SlackError("channel_not_found")
    return found


def joined(site: Site, name: str) -> Channel:
    """Return a conversation the app is in, by id.

    Raises:
        SlackError: `channel_not_found` or `not_in_channel`.
    """
    found = conversation(site, name)
    if not site.see(found):
        raise SlackError("not_in_channel")
    return found


def addressed(site: Site, name: str) -> Channel:
    """Return where a message goes: a channel's id or name, or a person's id for a direct message.

    Raises:
        SlackError: `channel_not_found`, `not_in_channel`, `is_archived`, or `cannot_dm_user` for
            somebody whose account is deactivated.
    """
    if name in site.state.users and not site.state.users[name].is_bot:
        return writable(site, site.direct_message(name))
    for channel in site.state.channels.values():
        if channel.name and channel.name == name.removeprefix("#"):
            return writable(site, joined(site, channel.id))
    return writable(site, joined(site, name))


def writable(site: Site, channel: Channel) -> Channel:
    """Return the conversation, if anybody can still be written to there.

    Raises:
        SlackError: `is_archived`, or `cannot_dm_user`.
    """
    if channel.is_archived:
        raise SlackError("is_archived")
    if channel.kind == "im" and any(
        site.state.users[member].is_deactivated for member in channel.members
    ):
        raise SlackError("cannot_dm_user")
    return channel


def message_in(site: Site, channel: Channel, ts: str) -> Message:
    """Return a message.

    Raises:
        SlackError: `message_not_found`, also for ephemeral ones.
    """
    found = site.state.message(channel.id, ts)
    if found is None:
        raise SlackError("message_not_found")
    return found


def root_of(site: Site, channel: Channel, thread_ts: str | None) -> str | None:
    """Return the root of the thread that `thread_ts` belongs to.

    Raises:
        SlackError: `thread_not_found`.
    """
    if thread_ts is None:
        return None
    found = site.state.message(channel.id, thread_ts)
    if found is None:
        raise SlackError("thread_not_found")
    return found.root_ts


def somebody(site: Site, user_id: str) -> User:
    """Return a user.

    Raises:
        SlackError: `user_not_found`.
    """
    found = site.state.users.get(user_id)
    if found is None:
        raise SlackError("user_not_found")
    return found
