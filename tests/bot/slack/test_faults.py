"""A bad day: each fault has one outcome, and nothing is lost."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.tables import AnswerRow, QuestionRow
from tests.bot.slack.conftest import Bot, Json

TENT = "How many days may I keep a tent that I borrow?"


def _count(bot: Bot, table: Any) -> int:
    with bot.skredder.database.read() as session:
        return int(session.scalars(select(func.count()).select_from(table)).one())


def test_the_same_message_under_eleven_event_ids_is_answered_once(bot: Bot) -> None:
    before = _count(bot, QuestionRow)
    bot.workspace.faults.duplicate_messages(10)
    ts = bot.workspace.person("Kari").mention("general", TENT)
    bot.answer_to(ts)
    bot.idle()
    assert len(bot.replies(ts)) == 1
    assert _count(bot, QuestionRow) == before + 1


def test_an_event_that_comes_again_after_a_second_is_answered_once(bot: Bot) -> None:
    bot.workspace.faults.swallow_acks(1)
    ts = bot.workspace.person("Tom").mention("general", TENT)
    bot.answer_to(ts)
    time.sleep(bot.workspace.timing.ack + 1.5)
    assert len(bot.replies(ts)) == 1


def test_a_reply_that_comes_before_its_question_is_not_lost(bot: Bot) -> None:
    """Slack promises no order: the follow-up's event may overtake the question's."""
    kari = bot.workspace.person("Kari")
    sockets = bot.workspace.sockets
    held: list[tuple[Any, Any]] = []
    send = sockets.send

    def hold(*arguments: Any, **named: Any) -> Future[Any]:
        held.append((arguments, named))
        return Future()

    sockets.send = hold  # type: ignore[method-assign]
    try:
        ts = kari.mention("general", TENT)
        kari.mention("general", "How many weeks is parental leave?", ts)
    finally:
        sockets.send = send  # type: ignore[method-assign]
    for arguments, named in reversed(held):
        send(*arguments, **named)
    bot.wait(lambda: len(bot.replies(ts)) == 2, "both answers", 60)
    bot.idle()
    assert len(bot.replies(ts)) == 2


METHODS = [
    "assistant.threads.setStatus",
    "agents.sessions.setStatus",
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.update",
    "chat.postMessage",
    "conversations.info",
    "users.info",
]


@pytest.mark.parametrize("method", METHODS)
def test_a_busy_slack_only_delays_the_answer(bot: Bot, method: str) -> None:
    side: Any = bot.skredder._slack
    for known in (side.question_jobs._people._known, side.question_jobs._channels._known):
        known.clear()
    bot.workspace.faults.rate_limit(method, calls=2, retry_after=1)
    if method == "chat.postMessage":
        bot.workspace.faults.remove_method("chat.startStream")
    try:
        ts = bot.workspace.person("Kari").mention("general", TENT)
        assert "10 days" in bot.answer_to(ts)["text"]
    finally:
        bot.workspace.faults.restore_method("chat.startStream")
    bot.idle()
    assert len(bot.replies(ts)) == 1


#: What is not worth a second try by itself: the person is told, and presses again.
QUIET = [
    ("views.open", "negative"),
    ("views.update", "negative"),
    ("views.publish", "home"),
    ("files.getUploadURLExternal", "home"),
]


@pytest.mark.parametrize(("method", "gesture"), QUIET)
def test_a_busy_slack_loses_no_vote_and_no_home(bot: Bot, method: str, gesture: str) -> None:
    answer = bot.ask(TENT)
    bot.workspace.faults.rate_limit(method, calls=1, retry_after=1)
    if gesture == "home":
        assert bot.workspace.person("Sindre").open_home(15)["blocks"]
        return
    tom = bot.workspace.person("Tom")
    tom.press(answer["ts"], "answer_feedback", "negative")
    bot.wait(lambda: any("nothing is lost" in t for t in bot.whispers_to("Tom")), "the whisper")
    tom_views = bot.workspace.views_of("Tom")
    if tom_views:
        tom.close(is_all=True)


def test_a_socket_that_drops_in_mid_answer_loses_nothing(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("general", TENT)
    bot.wait(lambda: bot.workspace.status_of("general", ts) or bot.replies(ts), "the start")
    bot.workspace.faults.drop_sockets()
    assert "10 days" in bot.answer_to(ts)["text"]
    bot.workspace.wait_until_connected(30)
    again = bot.workspace.person("Tom").mention("general", TENT)
    bot.answer_to(again)
    assert len(bot.replies(ts)) == len(bot.replies(again)) == 1


@pytest.mark.parametrize("appends", [0, 1, 3])
def test_a_stream_that_expires_early_is_finished_in_the_same_message(
    bot: Bot, appends: int
) -> None:
    bot.workspace.faults.expire_streams_after(appends)
    try:
        ts = bot.workspace.person("Kari").mention("general", TENT)
        answer = bot.answer_to(ts)
    finally:
        bot.workspace.faults.take_append()
    assert "answer_feedback" in str(answer["blocks"])
    assert len(bot.replies(ts)) == 1


def test_a_trigger_that_has_expired_loses_no_vote(bot: Bot) -> None:
    answer = bot.ask(TENT)
    bot.workspace.faults.refuse("views.open", "expired_trigger_id")
    bot.workspace.person("Ingrid").press(answer["ts"], "answer_feedback", "negative")
    bot.wait(lambda: any("nothing is lost" in t for t in bot.whispers_to("Ingrid")), "the whisper")


def test_an_answer_whose_message_was_deleted_is_posted_anew(bot: Bot) -> None:
    bot.workspace.faults.refuse("chat.update", "message_not_found")
    ts = bot.workspace.person("Kari").mention("general", TENT)
    assert "10 days" in bot.answer_to(ts)["text"]


def _direct_answers(bot: Bot, who: str) -> list[Json]:
    channel = bot.workspace.person(who).dm_channel
    return [m for m in bot.workspace.messages(channel) if "10 days" in str(m.get("blocks"))]


def test_an_answer_to_a_channel_that_was_archived_goes_to_the_asker(bot: Bot) -> None:
    before = len(_direct_answers(bot, "Kari"))
    ts = bot.workspace.person("Kari").post("people", "hello")
    bot.workspace.faults.delay("assistant.threads.setStatus", 1.0)
    ts = bot.workspace.person("Kari").mention("people", TENT)
    bot.workspace.archive("people")
    try:
        bot.wait(lambda: _direct_answers(bot, "Kari")[before:], "the direct answer", 60)
        bot.idle()
    finally:
        bot.workspace.archive("people", is_archived=False)
    assert bot.replies(ts, "people") == []
    assert len(_direct_answers(bot, "Kari")) == before + 1


def test_a_question_of_somebody_who_is_deactivated_ends_quietly(bot: Bot) -> None:
    answers_before = _count(bot, AnswerRow)
    bot.workspace.faults.delay("assistant.threads.setStatus", 1.0)
    nora = bot.workspace.person("Nora")
    ts = nora.dm(TENT)
    bot.workspace.deactivate("Nora")
    try:
        bot.wait(lambda: _count(bot, AnswerRow) == answers_before + 1, "the outcome", 60)
        bot.idle()
    finally:
        bot.workspace.user("Nora").is_deactivated = False
    assert bot.replies(ts, nora.dm_channel) == []


def test_stop_ends_the_answer_at_once(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    slow = bot.skredder.answering
    answer = slow.answer
    pieces: list[int] = []

    def slowly(*arguments: Any, on_text: Any, is_cancelled: Any, **named: Any) -> Any:
        from bot.answering import Cancelled

        for n in range(200):
            if is_cancelled():
                raise Cancelled
            on_text(f"word{n} ")
            pieces.append(n)
            time.sleep(0.1)
        return answer(*arguments, on_text=on_text, is_cancelled=is_cancelled, **named)

    slow.answer = slowly  # type: ignore[method-assign]
    try:
        ts = kari.mention("general", TENT)
        bot.wait(lambda: bot.replies(ts), "the first words")
        kari.stop_session("general", ts)
        stopped = bot.wait(
            lambda: [m for m in bot.replies(ts) if "Stopped" in m["text"]], "the last word"
        )[0]
    finally:
        slow.answer = answer  # type: ignore[method-assign]
    assert "Stopped, as you asked." in stopped["text"]
    assert "word0" in stopped["text"]
    assert len(pieces) < 100
    general = bot.workspace.channel("general").id
    bot.wait(
        lambda: bot.workspace.state.sessions[f"{general}:{ts}"].status == "active", "the status"
    )


def test_every_question_has_exactly_one_outcome(bot: Bot) -> None:
    bot.idle()
    with bot.skredder.database.read() as session:
        questions = session.scalars(select(QuestionRow.id)).all()
        answers = session.scalars(select(AnswerRow.question_id)).all()
    assert sorted(questions) == sorted(answers)
