"""Deciding what a delivery from Slack is: pure functions of its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Messages with these subtypes are still somebody asking something.
_SPOKEN_SUBTYPES = (None, "file_share", "thread_broadcast")


@dataclass(frozen=True)
class IncomingMessage:
    """A message that may be a question.

    `place` is `mention`, `dm`, or `thread`: a reply without a mention, which is a question only
    if the bot is already in that thread.
    """

    team_id: str
    channel: str
    ts: str
    thread_ts: str
    user_id: str
    place: str
    text: str


def message_in(body: Mapping[str, Any], bot_user_id: str) -> IncomingMessage | None:
    """Return the message in an event, or None when nobody spoke to the bot.

    One Slack message arrives as several events (`app_mention` and `message`); both give the
    same team, channel and ts, which is what makes it one question.
    """
    event = body.get("event") or {}
    kind = event.get("type")
    if kind not in ("message", "app_mention") or event.get("subtype") not in _SPOKEN_SUBTYPES:
        return None
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    if not user or not channel or not ts or event.get("bot_id") or user == bot_user_id:
        return None
    text = str(event.get("text") or "")
    thread = event.get("thread_ts")
    if event.get("channel_type") == "im":
        place = "dm"
    elif kind == "app_mention" or f"<@{bot_user_id}>" in text:
        place = "mention"
    elif thread and thread != ts:
        place = "thread"
    else:
        return None
    return IncomingMessage(
        team_id=str(body.get("team_id") or event.get("team") or ""),
        channel=str(channel),
        ts=str(ts),
        thread_ts=str(thread or ts),
        user_id=str(user),
        place=place,
        text=text,
    )


def opened_home_of(body: Mapping[str, Any]) -> str | None:
    """Return who opened the Home tab, if that is what the event tells."""
    event = body.get("event") or {}
    if event.get("type") == "app_home_opened" and event.get("tab", "home") == "home":
        user = event.get("user")
        return str(user) if user else None
    return None
