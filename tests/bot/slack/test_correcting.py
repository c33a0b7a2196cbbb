from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from bot.slack import blocks, correction_form
from storage import answers, pairs
from storage.tables import VoteRow
from tests.bot.slack.conftest import Bot, Json

BETTER = "Hei! The gear store moved to room C07. It is open on Thursdays. God tur!"
QUESTION = "In which room do I find the gear store?"


def _form(bot: Bot, who: str, answer: Json) -> Json:
    bot.workspace.person(who).press(answer["ts"], blocks.FEEDBACK, "negative")
    return bot.form_of(who)


def _values(text: str) -> Json:
    return {
        correction_form.ANSWER_BLOCK: {correction_form.ANSWER_INPUT: text},
        correction_form.REASON_BLOCK: {correction_form.REASON_INPUT: "outdated"},
    }


def test_a_bad_vote_is_saved_before_the_form_is_filled_in(bot: Bot) -> None:
    answer = bot.ask("How many weeks before parental leave do I tell my manager?")
    form = _form(bot, "Tom", answer)
    with bot.skredder.database.read() as session:
        votes = session.scalars(
            select(VoteRow.value).where(VoteRow.user_id == bot.workspace.person("Tom").id)
        ).all()
    assert votes == [-1]
    bot.workspace.person("Tom").close(form)


def test_the_form_shows_question_answer_and_sources(bot: Bot) -> None:
    answer = bot.ask(QUESTION)
    form = _form(bot, "Ingrid", answer)
    shown = str(form["blocks"])
    assert QUESTION in shown
    assert "Borrowing a tent" in shown
    assert "initial_value" in shown
    bot.workspace.person("Ingrid").close(form)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_an_empty_correction_keeps_the_form_open_and_says_why(bot: Bot, text: str) -> None:
    answer = bot.ask(QUESTION)
    form = _form(bot, "Ingrid", answer)
    submission = bot.workspace.person("Ingrid").submit(form, _values(text))
    assert not submission.is_accepted
    assert correction_form.ANSWER_BLOCK in submission.errors
    bot.workspace.person("Ingrid").close()


def test_an_experts_correction_counts_within_five_seconds_and_the_asker_is_told(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("general", QUESTION)
    answer = bot.answer_to(ts)
    form = _form(bot, "Ingrid", answer)
    submitted = time.monotonic()
    assert bot.workspace.person("Ingrid").submit(form, _values(BETTER)).is_accepted
    again = bot.ask(QUESTION, who="Tom")
    assert "C07" in again["text"]
    assert "Verified by" in str(again["blocks"])
    assert time.monotonic() - submitted < 5.0
    told = bot.workspace.wait_for(lambda: bot.replies(ts)[1:], 20, "the message to the asker")
    assert f"<@{bot.workspace.person('Kari').id}>" in str(told[0]["blocks"])
    assert "C07" in str(told[0]["blocks"])


def test_the_same_question_in_other_words_gets_the_correction_too(bot: Bot) -> None:
    def is_indexed() -> bool:
        return bot.skredder.answering._verified.find(QUESTION, {"everyone"}) is not None

    bot.workspace.wait_for(is_indexed, 10, "the verified answer in the index")
    assert "C07" in bot.ask("in which room can I find the gear store")["text"]


def test_an_employees_correction_waits_until_an_expert_approves_it(bot: Bot) -> None:
    question = "How many days may a borrowed tent be kept?"
    answer = bot.ask(question)
    form = _form(bot, "Tom", answer)
    text = "Hei! You may keep a tent for 12 days. God tur!"
    assert bot.workspace.person("Tom").submit(form, _values(text)).is_accepted
    assert "12 days" not in bot.ask(question)["text"]
    home = bot.workspace.person("Ingrid").open_home()
    with bot.skredder.database.read() as session:
        waiting = pairs.listed(session, "proposed")[0]
    assert "*12" in str(home["blocks"])  # what is new stands out
    bot.workspace.person("Ingrid").press(home, "pair_approve", str(waiting.id))
    assert "12 days" in bot.ask(question)["text"]


def test_a_correction_from_the_message_menu_opens_the_same_form(bot: Bot) -> None:
    answer = bot.ask("How many days ahead do I book leave?")

    place = bot.workspace.channel("general").id

    def is_noted() -> bool:
        with bot.skredder.database.read() as session:
            return answers.by_message(session, place, answer["ts"]) is not None

    bot.workspace.wait_for(is_noted, 5, "the answer to be noted")
    bot.workspace.person("Ingrid").shortcut(answer["ts"], "correct_answer")
    assert bot.form_of("Ingrid")["callback_id"] == correction_form.CORRECTION
    bot.workspace.person("Ingrid").close()


def test_a_correction_in_a_private_channel_stays_in_that_channel(bot: Bot) -> None:
    """Also when the answer rested on pages for everyone, or on none."""
    question = "How many weeks is parental leave for the board?"
    ts = bot.workspace.person("Ingrid").mention("board", question)
    bot.answer_to(ts, "board")
    bot.workspace.person("Ingrid").post("board", "correction: The board gets 51 weeks.", ts)

    def found() -> list[int]:
        with bot.skredder.database.read() as session:
            approved = pairs.listed(session, "approved", 50)
        return [pair.id for pair in approved if "51 weeks" in pair.output]

    pair_id = bot.wait(found, "the pair")[0]
    with bot.skredder.database.read() as session:
        pair = pairs.get(session, pair_id)
    assert pair.audience == bot.workspace.channel("board").id
    assert "51 weeks" not in str(bot.ask(question))
