"""Guests, and people of other companies, get what is marked for them and nothing else."""

from __future__ import annotations

from typing import Any

from tests.bot.slack.conftest import Bot

LEAVE = "How many weeks is parental leave?"
PARKING = "Where do guests park in Bergen?"


def _sources(message: dict[str, Any]) -> str:
    return str(message["blocks"])


def test_a_colleague_is_answered_from_what_is_everyone_s(bot: Bot) -> None:
    assert "Leave" in _sources(bot.ask(LEAVE))


def test_a_guest_is_told_nothing_of_what_is_everyone_s(bot: Bot) -> None:
    answer = bot.ask(LEAVE, who="Gil")
    assert "49 weeks" not in str(answer)
    assert "I only answer from our documents" in _sources(answer)


def test_a_guest_is_answered_from_what_is_marked_for_guests(bot: Bot) -> None:
    assert "Visiting us" in _sources(bot.ask(PARKING, who="Gil"))


def test_in_a_channel_shared_with_another_company_only_what_is_marked_is_used(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("partners", LEAVE)
    assert "49 weeks" not in str(bot.answer_to(ts, "partners"))
    ts = bot.workspace.person("Kari").mention("partners", PARKING)
    assert "Visiting us" in _sources(bot.answer_to(ts, "partners"))
