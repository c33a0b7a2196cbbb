"""reactions.*: small signs on messages."""

from __future__ import annotations

import re

from bot.workspace.errors import SlackError
from bot.workspace.methods.places import joined, message_in
from bot.workspace.objects import message_json
from bot.workspace.posting import react
from bot.workspace.records import Json, Message
from bot.workspace.site import Site

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def add(site: Site, arguments: Json) -> Json:
    """Serve reactions.add."""
    name = arguments["name"]
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    message = _message(site, arguments)
    if not react(site, site.bot_user_id, message, name, is_added=True):
        raise SlackError("already_reacted")
    return {}


def remove(site: Site, arguments: Json) -> Json:
    """Serve reactions.remove."""
    message = _message(site, arguments)
    if not react(site, site.bot_user_id, message, arguments["name"], is_added=False):
        raise SlackError("no_reaction")
    return {}


def get(site: Site, arguments: Json) -> Json:
    """Serve reactions.get."""
    message = _message(site, arguments)
    return {
        "type": "message",
        "channel": message.channel,
        "message": message_json(site.state, message),
    }


def _message(site: Site, arguments: Json) -> Message:
    if "channel" not in arguments or "timestamp" not in arguments:
        raise SlackError("no_item_specified")
    return message_in(site, joined(site, arguments["channel"]), arguments["timestamp"])
