from __future__ import annotations

from typing import Any

import pytest

from bot.slack.incoming import message_in

BOT = "UBOT"


def _event(**event: Any) -> dict[str, Any]:
    base = {"type": "message", "channel": "C1", "user": "U1", "ts": "2.0", "text": "hello"}
    return {"team_id": "T1", "event_id": "Ev1", "event": base | event}


def test_a_mention_is_a_question_in_its_own_thread() -> None:
    message = message_in(_event(type="app_mention", text="<@UBOT> hi"), BOT)
    assert message is not None
    assert (message.place, message.thread_ts) == ("mention", "2.0")


def test_a_direct_message_is_a_question() -> None:
    message = message_in(_event(channel_type="im", channel="D1"), BOT)
    assert message is not None
    assert message.place == "dm"


def test_a_reply_in_a_thread_may_be_a_follow_up() -> None:
    message = message_in(_event(thread_ts="1.0", channel_type="channel"), BOT)
    assert message is not None
    assert (message.place, message.thread_ts) == ("thread", "1.0")


@pytest.mark.parametrize(
    "event",
    [
        {"channel_type": "channel"},
        {"channel_type": "im", "bot_id": "B1"},
        {"channel_type": "im", "user": BOT},
        {"channel_type": "im", "subtype": "message_changed"},
        {"channel_type": "im", "subtype": "message_deleted"},
        {"type": "reaction_added"},
        {"channel_type": "im", "user": None},
    ],
)
def test_nobody_asked_the_bot_anything(event: dict[str, Any]) -> None:
    assert message_in(_event(**event), BOT) is None


def test_both_events_of_one_message_say_the_same_place_and_time() -> None:
    mention = message_in(_event(type="app_mention", text="<@UBOT> hi"), BOT)
    message = message_in(_event(channel_type="channel", text="<@UBOT> hi"), BOT)
    assert mention == message
