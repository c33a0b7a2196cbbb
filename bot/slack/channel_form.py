"""The form in which admins say how the bot behaves in channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.elements import Block, plain
from bot.slack.words import Words

CHANNELS_FORM = "channel_settings"
STRICT_BLOCK, STRICT_INPUT = "strict", "channels"


def channel_form(strict: tuple[str, ...], say: Words) -> dict[str, Any]:
    """Return the form, with the channels that are strict now."""
    element: Block = {
        "type": "multi_conversations_select",
        "action_id": STRICT_INPUT,
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    if strict:
        element["initial_conversations"] = list(strict)
    return {
        "type": "modal",
        "callback_id": CHANNELS_FORM,
        "title": plain(say("Channel settings"), 24),
        "submit": plain(say("Save"), 24),
        "close": plain(say("Cancel"), 24),
        "blocks": [
            {
                "type": "input",
                "block_id": STRICT_BLOCK,
                "optional": True,
                "label": plain(say("Strict: answer only when mentioned"), 2_000),
                "hint": plain(
                    say("Elsewhere I follow up in threads where I was asked, without a mention."),
                    150,
                ),
                "element": element,
            }
        ],
    }


def strict_in(view: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the channels that were chosen."""
    chosen = view["state"]["values"].get(STRICT_BLOCK, {}).get(STRICT_INPUT) or {}
    return tuple(chosen.get("selected_conversations") or ())
