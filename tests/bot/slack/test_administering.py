from __future__ import annotations

import pytest

from storage import runs
from tests.bot.slack.conftest import Bot


def test_status_says_which_version_answers_and_what_is_missing(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain status").text
    assert "base" in reply
    assert "500 more pairs are needed before the next training." in reply


def test_a_run_that_is_too_early_is_refused_with_what_is_missing(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain run").text
    assert "too early" in reply
    assert "more pairs are needed" in reply
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
