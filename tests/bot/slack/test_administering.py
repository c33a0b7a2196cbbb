from __future__ import annotations

from typing import Any

import pytest

from bot.slack.app_home import AppHome
from storage import pairs, runs
from storage.pairs import NewPair
from tests.bot.slack.conftest import Bot


def test_status_says_which_version_answers_and_what_is_missing(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain status").text
    assert "base" in reply
    assert "of 500 pairs for the first training" in reply


def test_a_run_that_is_too_early_is_refused_with_what_is_missing(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain run").text
    assert "too early" in reply
    assert "more are needed" in reply
    with bot.skredder.database.read() as session:
        assert runs.current(session) is None


def test_there_is_nothing_to_roll_back_to_from_the_base(bot: Bot) -> None:
    assert "no predecessor" in bot.workspace.person("Sindre").slash("/retrain rollback").text


@pytest.mark.parametrize("who", ["Kari", "Tom", "Ingrid"])
@pytest.mark.parametrize("what", ["status", "run", "rollback"])
def test_who_is_no_admin_gets_a_clear_sentence(bot: Bot, who: str, what: str) -> None:
    reply = bot.workspace.person(who).slash(f"/retrain {what}").text
    assert "Only admins may" in reply
    assert f"<@{bot.workspace.person('Sindre').id}>" in reply


def test_a_word_it_does_not_know_is_answered_with_those_it_does(bot: Bot) -> None:
    assert "/retrain status" in bot.workspace.person("Sindre").slash("/retrain tomorrow").text


def test_everybody_sees_in_app_home_what_concerns_them(bot: Bot) -> None:
    kari = str(bot.workspace.person("Kari").open_home()["blocks"])
    ingrid = str(bot.workspace.person("Ingrid").open_home()["blocks"])
    sindre = str(bot.workspace.person("Sindre").open_home()["blocks"])
    assert "Corrections to review" not in kari
    assert "The model" not in kari
    assert "Corrections to review" in ingrid
    assert "The model" not in ingrid
    assert "Answering now" in sindre


def test_a_forged_button_does_nothing_for_who_may_not_press_it(bot: Bot) -> None:
    with bot.skredder.database.write() as session:
        waiting = pairs.propose(
            session, NewPair("Forged?", "No.", author="x", origin="slack", origin_key="forged")
        )
    tom = bot.workspace.person("Tom").id
    side: Any = bot.skredder._slack
    home = AppHome(
        "Fjellro",
        bot.skredder.database,
        side.calls,
        bot.skredder.permissions,
        bot.skredder.corrections,
        bot.skredder.retrainings,
        lambda: None,
    )
    acknowledged: list[bool] = []
    home.approve(
        lambda: acknowledged.append(True),  # type: ignore[arg-type]
        {"user": {"id": tom}, "trigger_id": "1"},
        {"value": str(waiting.id)},
    )
    assert acknowledged == [True]
    with bot.skredder.database.read() as session:
        assert pairs.get(session, waiting.id).state == "proposed"
