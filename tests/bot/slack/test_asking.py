from __future__ import annotations

import time

import pytest
from sqlalchemy import func, select

from storage.tables import AnswerRow, QuestionRow
from tests.bot.slack.conftest import Bot


def _question_count(bot: Bot) -> int:
    with bot.skredder.database.read() as session:
        return int(session.scalars(select(func.count()).select_from(QuestionRow)).one())


def test_a_mention_is_answered_in_its_thread_with_a_source(bot: Bot) -> None:
    answer = bot.ask("How many days of annual leave do I get?")
    assert "[1]" in answer["text"]
    assert "Leave › Annual leave" in str(answer["blocks"])
    assert "updated 4 May 2026" in str(answer["blocks"])
    assert "model base" in str(answer["blocks"])


def test_the_answer_is_streamed(bot: Bot) -> None:
    before = len(bot.workspace.ledger)
    bot.ask("How long may I keep a tent that I borrow?")
    calls = [call.method for call in bot.workspace.ledger.calls(since=before)]
    assert "assistant.threads.setStatus" in calls
    assert calls.count("chat.startStream") == 1
    assert "chat.postMessage" not in calls


def test_a_direct_message_is_answered(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.dm("How many weeks of parental leave are there?")
    assert bot.answer_to(ts, kari.dm_channel)


def test_a_follow_up_in_the_thread_needs_no_mention(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.mention("general", "How many weeks is parental leave?")
    bot.answer_to(ts)
    kari.post("general", "and when must I tell my manager?", ts)
    answers = bot.workspace.wait_for(
        lambda: [m for m in bot.replies(ts) if "feedback" in str(m.get("blocks"))][1:], 60
    )
    assert "Leave ›" in str(answers[0]["blocks"])


def test_people_who_talk_to_each_other_are_left_alone(bot: Bot) -> None:
    before = _question_count(bot)
    kari = bot.workspace.person("Kari")
    ts = kari.post("general", "Lunch, anyone?")
    bot.workspace.person("Tom").post("general", "Yes!", ts)
    time.sleep(1.0)
    assert bot.replies(ts) == []
    assert _question_count(bot) == before


def test_what_the_documents_do_not_hold_is_not_answered(bot: Bot) -> None:
    answer = bot.ask("What is our customer number with the electricity supplier in Paris?")
    assert "I don't know" in answer["text"]
    assert "the people team" in answer["text"]


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("", "no question"),
        (":tada: :wave:", "any words"),
        ("🎉🎉🎉", "any words"),
        ("x" * 39_000, "I can read 4,000"),
    ],
    ids=["empty", "emoji names", "emoji", "huge"],
)
def test_what_is_no_question_gets_a_clear_sentence(bot: Bot, question: str, reply: str) -> None:
    assert reply in bot.ask(question)["text"]


@pytest.mark.parametrize(
    "question",
    ["كم يوم إجازة أحصل عليه؟", "annual\u202e leave\x07 days?", "<!channel> @here leave?"],
)
def test_strange_questions_get_an_answer_that_calls_nobody(bot: Bot, question: str) -> None:
    answer = bot.ask(question)
    assert "<!" not in str(answer)


def test_a_redelivered_event_is_answered_once(bot: Bot) -> None:
    before = _question_count(bot)
    bot.workspace.faults.redeliver_events(3)
    bot.workspace.faults.duplicate_messages(2)
    ts = bot.workspace.person("Kari").mention("general", "Where do I borrow a tent?")
    bot.answer_to(ts)
    time.sleep(1.5)
    assert len(bot.replies(ts)) == 1
    assert _question_count(bot) == before + 1


def test_without_streaming_one_message_is_posted_and_updated(bot: Bot) -> None:
    bot.workspace.faults.remove_method("chat.startStream")
    try:
        before = len(bot.workspace.ledger)
        ts = bot.workspace.person("Tom").mention("general", "How many unused days may I move?")
        bot.answer_to(ts)
    finally:
        bot.workspace.faults.restore_method("chat.startStream")

    def calls() -> list[str]:
        return [call.method for call in bot.workspace.ledger.calls(since=before)]

    # A call is written down after its effect, so the last one may be a moment late.
    bot.workspace.wait_for(lambda: "chat.update" in calls(), 5, "the update")
    assert calls().count("chat.postMessage") == 1
    assert len(bot.replies(ts)) == 1


@pytest.mark.parametrize("method", ["chat.startStream", "chat.stopStream", "chat.update"])
def test_a_busy_slack_only_delays_the_answer(bot: Bot, method: str) -> None:
    bot.workspace.faults.rate_limit(method, calls=2, retry_after=1)
    ts = bot.workspace.person("Kari").mention("general", "When is the gear store open?")
    bot.answer_to(ts)
    assert len(bot.replies(ts)) == 1


@pytest.mark.parametrize("method", ["chat.startStream", "chat.update"])
def test_a_connection_lost_after_the_effect_posts_nothing_twice(bot: Bot, method: str) -> None:
    bot.workspace.faults.drop_after(method)
    ts = bot.workspace.person("Kari").mention("general", "How do I book annual leave?")
    bot.answer_to(ts)
    time.sleep(1.0)
    assert len(bot.replies(ts)) == 1


def test_a_stream_that_expires_is_finished_by_an_update(bot: Bot) -> None:
    bot.workspace.faults.refuse("chat.stopStream", "message_not_in_streaming_state")
    answer = bot.ask("May I keep the tent for two weeks?")
    assert "answer_feedback" in str(answer["blocks"])


def test_every_question_has_exactly_one_outcome(bot: Bot) -> None:
    with bot.skredder.database.read() as session:
        questions = session.scalars(select(QuestionRow.id)).all()
        answers = session.scalars(select(AnswerRow.question_id)).all()
    assert sorted(questions) == sorted(answers)


def test_slack_was_never_asked_for_anything_it_refuses(bot: Bot) -> None:
    expected = {"ratelimited", "unknown_method", "message_not_in_streaming_state"}
    refused = {(c.method, c.error) for c in bot.workspace.ledger.refused()}
    assert {error for _, error in refused} <= expected, refused
