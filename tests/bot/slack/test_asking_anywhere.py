"""Everywhere one asks: `/ask`, a message's menu, the agent pane; files, limits and audiences."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from storage import answers
from storage.tables import AnswerRow, QuestionRow
from tests.bot.slack.conftest import Bot, Json

LEAVE = "How many days of annual leave do I get?"


def _private_answer(bot: Bot, who: str, count: int) -> Json:
    """Wait until somebody has so many private answers, and return the newest."""

    def finished() -> list[Json]:
        seen = bot.workspace.ephemerals_of(who)
        return [m for m in seen if "answer_feedback" in str(m.get("blocks"))][count - 1 :]

    return bot.workspace.wait_for(finished, 60, "the private answer")[0]


def _answers_seen(bot: Bot, who: str) -> int:
    seen = bot.workspace.ephemerals_of(who)
    return sum(1 for m in seen if "answer_feedback" in str(m.get("blocks")))


def _last_status(bot: Bot, user: str) -> str:
    with bot.skredder.database.read() as session:
        return str(
            session.scalar(
                select(AnswerRow.status)
                .join(QuestionRow)
                .where(QuestionRow.user_id == bot.workspace.person(user).id)
                .order_by(AnswerRow.id.desc())
            )
        )


def test_a_question_with_slash_ask_is_answered_to_the_asker_alone(bot: Bot) -> None:
    before = len(bot.workspace.messages("people"))
    seen = _answers_seen(bot, "Tom")
    assert "Looking" in bot.workspace.person("Tom").slash(f"/ask {LEAVE}", "people").text
    answer = _private_answer(bot, "Tom", seen + 1)
    assert "Annual leave" in str(answer["blocks"])
    assert "Only you can see this" in str(answer["blocks"])
    assert len(bot.workspace.messages("people")) == before
    assert _answers_seen(bot, "Kari") == 0


def test_the_asker_shares_a_private_answer_with_the_channel(bot: Bot) -> None:
    seen = _answers_seen(bot, "Tom")
    before = len(bot.workspace.messages("people"))
    bot.workspace.person("Tom").slash(f"/ask {LEAVE}", "people")
    answer = _private_answer(bot, "Tom", seen + 1)
    bot.workspace.person("Tom").press(answer["ts"], "answer_share")
    shared = bot.workspace.wait_for(
        lambda: bot.workspace.messages("people")[before:], 20, "the shared answer"
    )[0]
    assert f"<@{bot.workspace.person('Tom').id}> asked" in str(shared["blocks"])
    assert "Annual leave" in str(shared["blocks"])
    assert "answer_share" not in str(shared["blocks"])


def test_what_rests_on_a_private_channels_documents_is_not_shared_elsewhere(bot: Bot) -> None:
    bot.write_page("board", "Bonus", "The board's bonus is 12 percent of the salary, in March.")
    seen = _answers_seen(bot, "Sindre")
    bot.workspace.person("Sindre").slash("/ask How high is the board's bonus?", "board")
    answer = _private_answer(bot, "Sindre", seen + 1)
    assert "12 percent" in str(answer)
    with bot.skredder.database.read() as session:
        newest = session.scalars(select(AnswerRow.id).order_by(AnswerRow.id.desc())).first()
        found = answers.get(session, newest or 0)
    assert found is not None
    general = bot.workspace.channel("general").id
    body = {
        "type": "block_actions",
        "user": {"id": bot.workspace.person("Sindre").id},
        "team": {"id": bot.workspace.team_id},
        "channel": {"id": general},
        "container": {"type": "message"},
        "trigger_id": "forged-share",
        "actions": [{"action_id": "answer_share", "value": str(found.id), "type": "button"}],
    }
    before = len(bot.workspace.messages("general"))
    assert bot.workspace.sockets.send("interactive", body).result(10).is_ok
    bot.workspace.wait_for(
        lambda: any("not everyone here" in text for text in bot.whispers_to("Sindre")), 20
    )
    assert len(bot.workspace.messages("general")) == before


def test_a_message_is_asked_about_from_its_menu(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").post("people", LEAVE)
    seen = _answers_seen(bot, "Ingrid")
    bot.workspace.person("Ingrid").shortcut(ts, "ask_about")
    assert "Annual leave" in str(_private_answer(bot, "Ingrid", seen + 1)["blocks"])
    assert bot.replies(ts, "people") == []


def test_the_agent_pane_suggests_what_experts_have_verified(bot: Bot) -> None:
    bot.verify("Where is the coffee machine?", "On the second floor, beside the stairs.")
    kari = bot.workspace.person("Kari")
    kari.open_messages()
    prompts = bot.workspace.wait_for(
        lambda: bot.workspace.state.prompts.get(kari.dm_channel), 10, "the prompts"
    )
    assert "Where is the coffee machine?" in [prompt["message"] for prompt in prompts.prompts]
    call = bot.workspace.ledger.calls("assistant.threads.setSuggestedPrompts")[-1]
    assert "thread_ts" not in call.arguments


def test_an_empty_slash_ask_says_how_it_is_used(bot: Bot) -> None:
    assert "/ask how many days" in bot.workspace.person("Tom").slash("/ask").text


def test_a_text_file_in_the_message_is_read_and_what_is_not_is_said(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.attach(
        "general",
        f"<@{bot.workspace.bot_user_id}>",
        {"leave.txt": LEAVE.encode(), "photo.png": b"\x89PNG", "huge.csv": b"x" * 200_000},
    )
    shown = str(bot.answer_to(ts)["blocks"])
    assert "Annual leave" in shown
    assert "Not read: photo.png, huge.csv" in shown


def test_files_are_fetched_from_slack_only(bot: Bot) -> None:
    from bot.slack.attachments import Attachments

    side: Any = bot.skredder._slack
    file = {"name": "a.txt", "size": 5, "url_private": "http://127.0.0.1:9/a.txt"}
    assert Attachments(side.calls).text_of([file]) == ""


def test_a_public_channels_own_documents_stay_out_of_public_replies(bot: Bot) -> None:
    bot.write_page("people", "Wolf", "The secret word of the people team is Wolfram, since 2019.")
    answer = bot.ask("What is the secret word of the people team?")
    assert "Wolfram" not in str(answer)
    ts = bot.workspace.person("Kari").mention("people", "What is the secret word of the team?")
    assert "Wolfram" not in str(bot.answer_to(ts, "people"))


def test_a_private_channel_is_answered_from_its_own_documents(bot: Bot) -> None:
    bot.write_page("board", "Seat", "The board meets in the room Kvitfjell on the 3rd of March.")
    ts = bot.workspace.person("Ingrid").mention("board", "In which room does the board meet?")
    assert "Kvitfjell" in str(bot.answer_to(ts, "board"))
    assert "Kvitfjell" not in str(bot.ask("In which room does the board meet?"))


@pytest.fixture
def few_questions(bot: Bot) -> Any:
    """Let people ask two questions a minute, while the test runs."""
    from bot.slack.questions import RateLimits

    side: Any = bot.skredder._slack
    jobs = side.question_jobs
    before, jobs._limits = jobs._limits, RateLimits(2, 1000)
    yield
    jobs._limits = before


@pytest.mark.usefixtures("few_questions")
def test_who_asks_too_much_is_told_to_wait_and_others_are_not(bot: Bot) -> None:
    nora = bot.workspace.person("Nora")
    told = [bot.answer_to(nora.mention("general", f"{LEAVE} {n}"))["text"] for n in range(3)]
    assert "Du har stilt 3 spørsmål på ett minutt" in told[2]
    assert "Du har stilt" not in told[1]


def test_the_buttons_follow_the_language_of_the_askers_slack(bot: Bot) -> None:
    shown = str(bot.ask(LEAVE, who="Nora")["blocks"])
    assert "Godt svar" in shown
    assert "oppdatert 4. mai 2026" in shown
    assert "Good answer" not in shown


def test_sources_are_collapsed_with_section_owner_freshness_and_link(bot: Bot) -> None:
    shown = bot.ask(LEAVE)
    container = next(block for block in shown["blocks"] if block["type"] == "container")
    assert container["default_collapsed"]
    line = str(container["child_blocks"])
    assert "Leave › Annual leave" in line
    assert "owner: Ingrid Aasen" in line
    assert "updated 4 May 2026" in line


def test_the_model_version_stands_in_the_messages_details(bot: Bot) -> None:
    details = bot.ask(LEAVE)["metadata"]["event_payload"]
    assert details["model_version"] == "base"
    assert details["status"] == _last_status(bot, "Kari")
