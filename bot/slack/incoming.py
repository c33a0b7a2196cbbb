"""Deciding what a delivery from Slack is: pure functions of its body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Messages with these subtypes are still somebody saying something.
_SPOKEN_SUBTYPES = (None, "file_share", "thread_broadcast")

_CORRECTION = re.compile(r"^\s*(?:<@[A-Z0-9]+>\s*)?(?:correction|retting|rettelse)\s*:\s*", re.I)
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_ASKS = re.compile(
    r"\?|^\W*(?:who|what|when|where|which|why|how|can|could|may|do|does|is|are|should|and|"
    r"hvem|hva|når|hvor|hvilken|hvilke|hvorfor|hvordan|kan|får|må|er|skal|gjelder|og|enn)\b",
    re.I,
)
_CLOSING = re.compile(
    r"^\W*(?:(?:many )?thanks|thank you|thx|ty|ok(?:ay)?|great|perfect|got it|nice|cool|super|"
    r"takk|tusen takk|fint|flott|bra|den er god|perfekt|supert|skjønner|yes|no|ja|nei)\b.{0,40}$",
    re.I | re.S,
)


@dataclass(frozen=True)
class IncomingMessage:
    """A message that may be a question.

    `place` is `mention`, `dm`, or `thread`: a reply without a mention, which is a question only
    if it goes on talking with the bot.
    """

    team_id: str
    channel: str
    ts: str
    thread_ts: str
    user_id: str
    place: str
    text: str


def message_in(body: Mapping[str, Any], bot_user_id: str) -> IncomingMessage | None:
    """Return the message in an event, or None when nobody spoke where the bot may answer.

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


def correction_in(text: str) -> str | None:
    """Return the better answer in a reply that begins with `correction:`, or None."""
    lead = _CORRECTION.match(text)
    return None if lead is None else text[lead.end() :]


def goes_on_with_the_bot(
    thread: Sequence[Mapping[str, Any]],
    message: IncomingMessage,
    bot_user_id: str,
    askers: frozenset[str],
) -> bool:
    """Whether a reply without a mention is meant for the bot, or for somebody else.

    It is when it follows the bot's last word, or the same person's own, and comes from somebody
    who has asked in this thread, or asks something now. It is not when it mentions a colleague,
    when another person has spoken since the bot did, or when it only says thanks.

    Args:
        thread: The thread's messages as Slack gives them, oldest first.
        message: The reply.
        bot_user_id: Who the bot is.
        askers: Who has asked the bot something in this thread.
    """
    if _mentions_others(message.text, bot_user_id) or _CLOSING.match(message.text):
        return False
    if message.user_id not in askers and not _ASKS.search(message.text):
        return False
    for said in reversed(thread):
        if float(said.get("ts") or 0) >= float(message.ts):
            continue
        if said.get("user") == bot_user_id:
            return True
        to_others = _mentions_others(str(said.get("text") or ""), bot_user_id)
        if said.get("user") != message.user_id or to_others:
            return False
    return False


def _mentions_others(text: str, bot_user_id: str) -> bool:
    return any(user != bot_user_id for user in _MENTION.findall(text))
