"""Slack's objects as JSON: messages, files, people, conversations, views."""

from __future__ import annotations

import copy
from urllib.parse import quote

from bot.workspace.records import Channel, File, Json, Message, User, View
from bot.workspace.state import State


def message_json(state: State, message: Message, *, with_metadata: bool = False) -> Json:
    """Return a message as the Web API and events show it."""
    data: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": state.team_id,
        "blocks": copy.deepcopy(message.blocks),
    }
    if message.client_msg_id:
        data["client_msg_id"] = message.client_msg_id
    if message.is_from_app:
        data |= {
            "bot_id": state.bot_id,
            "app_id": state.app_id,
            "bot_profile": bot_profile(state),
        }
    if message.attachments:
        data["attachments"] = message.attachments
    if message.edited_ts:
        data["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.reactions:
        data["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in message.reactions.items()
        ]
    if message.files:
        data["files"] = [file_json(state, state.files[one]) for one in message.files]
        data["upload"] = True
    if message.metadata is not None and with_metadata:
        data["metadata"] = message.metadata
    if message.stream is not None:
        data["streaming_state"] = message.stream.state
    if message.ephemeral_for is not None:
        data["is_ephemeral"] = True
    return data | _thread_fields(state, message)


def _thread_fields(state: State, message: Message) -> Json:
    if message.ephemeral_for is not None:
        return {"thread_ts": message.thread_ts} if message.thread_ts else {}
    if message.is_reply:
        root = state.message(message.channel, message.root_ts)
        fields: Json = {"thread_ts": message.thread_ts}
        if root is not None:
            fields["parent_user_id"] = root.user
        return fields
    replies = [m for m in state.thread(message.channel, message.ts) if m.is_reply]
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "reply_users": people,
        "subscribed": False,
    }


def bot_profile(state: State) -> Json:
    """Return the app as messages show it."""
    return {
        "id": state.bot_id,
        "app_id": state.app_id,
        "user_id": state.bot_user_id,
        "name": state.users[state.bot_user_id].name,
        "icons": {},
        "deleted": False,
        "updated": 0,
        "team_id": state.team_id,
    }


def file_json(state: State, file: File) -> Json:
    """Return a file as the Web API shows it. The URLs begin with the server's address."""
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.name.rsplit(".", 1)[-1].lower() if "." in file.name else "text",
        "pretty_type": file.mimetype,
        "user": file.user,
        "user_team": state.team_id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": True,
        "alt_txt": file.alt_text,
        "url_private": f"{state.origin}/files/{file.id}/{quote(file.name)}",
        "url_private_download": f"{state.origin}/files/{file.id}/download/{quote(file.name)}",
        "permalink": f"{state.origin}/files/{file.id}/{quote(file.name)}",
        "channels": [c for c in file.channels if state.channels[c].kind == "channel"],
        "groups": [c for c in file.channels if state.channels[c].kind == "group"],
        "ims": [c for c in file.channels if state.channels[c].kind == "im"],
    }


def user_json(state: State, user: User, *, with_locale: bool = False) -> Json:
    """Return a person as users.info shows them."""
    locale: Json = {"locale": user.locale} if with_locale else {}
    return locale | {
        "id": user.id,
        "team_id": state.team_id,
        "name": user.handle,
        "deleted": user.is_deactivated,
        "real_name": user.name,
        "tz": "Europe/Oslo",
        "tz_label": "Central European Time",
        "tz_offset": 3_600,
        "profile": {
            "title": user.role,
            "real_name": user.name,
            "real_name_normalized": user.name,
            "display_name": user.name,
            "display_name_normalized": user.name,
            "email": f"{user.handle}@example.com",
            "team": state.team_id,
        },
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.role == "guest",
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }


def channel_json(state: State, channel: Channel) -> Json:
    """Return a conversation as conversations.info shows it."""
    is_im = channel.kind == "im"
    data: Json = {
        "id": channel.id,
        "created": 0,
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_shared,
        "is_channel": channel.kind == "channel",
        "is_group": False,
        "is_im": is_im,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.is_private,
        "is_org_shared": False,
        "context_team_id": state.team_id,
    }
    if is_im:
        other = next((m for m in channel.members if m != state.bot_user_id), "")
        return data | {"user": other, "is_open": True}
    return data | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": state.bot_user_id in channel.members,
        "is_general": channel.name == "general",
        "num_members": len(channel.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
    }


def view_json(state: State, view: View) -> Json:
    """Return a view with everything Slack adds to what the app sent."""
    empty: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "title": None,
    }
    return {
        **empty,
        **copy.deepcopy(view.body),
        "id": view.id,
        "team_id": state.team_id,
        "state": {"values": copy.deepcopy(view.values)},
        "hash": view.hash,
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": state.app_id,
        "app_installed_team_id": state.team_id,
        "bot_id": state.bot_id,
    }
