from __future__ import annotations

from bot.audiences import Audiences
from bot.pair_audience import NOBODY, audience_of


def test_what_everyone_may_see_is_for_everyone() -> None:
    assert audience_of(["everyone", "everyone"]).audience == "everyone"
    assert audience_of([]).audience == "everyone"


def test_one_narrow_passage_or_place_makes_the_pair_as_narrow() -> None:
    assert audience_of(["everyone", "C-board"]).audience == "C-board"
    assert audience_of(["everyone"], place="D1").audience == "D1"
    assert audience_of(["C-board"], place="C-board").audience == "C-board"
    assert audience_of(["C-board"]).holds == ()


def test_what_is_narrow_in_two_ways_is_for_nobody_and_held() -> None:
    found = audience_of(["C-board", "everyone"], place="C-legal")
    assert found.audience == NOBODY
    assert "C-board and C-legal" in found.holds[0]
    assert NOBODY not in Audiences({}).of("C-board", with_outsiders=False)


def test_everyone_of_another_workspace_is_that_workspace() -> None:
    assert audience_of([], everyone="T2").audience == "T2"
    assert audience_of(["T2"], everyone="T2").audience == "T2"
    assert audience_of(["T2"], place="T2/C9", everyone="T2").audience == "T2/C9"


def test_what_is_for_everyone_at_home_is_not_told_in_another_workspace() -> None:
    found = audience_of(["everyone"], everyone="T2")
    assert found.audience == NOBODY
    assert found.holds
