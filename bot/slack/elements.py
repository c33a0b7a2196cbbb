"""The smallest pieces of Block Kit, each cut to what Slack takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.slack.text import shortened
from bot.slack.words import Words

Block = dict[str, Any]


def header(text: str) -> Block:
    """Return a heading."""
    return {"type": "header", "text": plain(text, 150)}


def section(text: str) -> Block:
    """Return a paragraph of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": shortened(text, 3_000)}}


def context(texts: Sequence[str]) -> Block:
    """Return small print, a text for each element."""
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": shortened(text, 3_000)} for text in texts[:10]],
    }


def fields(texts: Sequence[str]) -> Block:
    """Return short texts in two columns."""
    return {
        "type": "section",
        "fields": [{"type": "mrkdwn", "text": shortened(text, 2_000)} for text in texts[:10]],
    }


def plain(text: str, limit: int = 75) -> Block:
    """Return a plain text of at most `limit` characters."""
    return {"type": "plain_text", "text": shortened(text, limit)}


def button(
    text: str, action_id: str, value: str, *, style: str = "", confirm: Block | None = None
) -> Block:
    """Return a button. `style` is `primary`, `danger` or empty."""
    made: Block = {
        "type": "button",
        "text": plain(text),
        "action_id": action_id,
        "value": value,
    }
    if style:
        made["style"] = style
    return made | ({"confirm": confirm} if confirm else {})


def confirmation(title: str, text: str, say: Words) -> Block:
    """Return what a button asks before it acts."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(say("Yes"), 30),
        "deny": plain(say("No"), 30),
    }


def option(value: str, text: str) -> Block:
    """Return an entry of a menu."""
    return {"text": plain(text), "value": value}
