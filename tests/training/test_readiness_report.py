from __future__ import annotations

from dataclasses import replace

import pytest

from training.readiness_report import Gathered, plan

READY = Gathered(
    goal="Answer our colleagues' questions in our voice.",
    train=5_200,
    held_out=900,
    pairs_needed=5_000,
    in_voice=0.93,
    covered=0.7,
    answers=1_000,
    standing=0.8,
)


def test_with_everything_there_it_is_time_to_train() -> None:
    made = plan(READY)
    assert made.advice == "train"
    assert "5,200 pairs to learn from and 900 to measure" in made.message
    assert all(finding.is_met for finding in made.findings)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"goal": "Help."}, "Say in the settings"),
        ({"train": 100, "waiting": 40, "held": 3},
         "4,000 are missing (40 wait for an expert and 3 are held until an expert looks)"),
        ({"held_out": 49, "train": 6_000}, "49 are kept for measuring; at least 50"),
        ({"in_voice": 0.6}, "60% of the answers keep the rules of the voice; mend the others"),
        ({"covered": 0.2, "uncovered": ("parking", "visas")}, "Write pairs about parking, visas."),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(change: dict[str, object], told: str) -> None:
    made = plan(replace(READY, **change))  # type: ignore[arg-type]
    assert made.advice == "gather more"
    assert told in made.message
    assert sum(not finding.is_met for finding in made.findings) == 1


def test_where_answers_stand_as_they_are_there_is_nothing_to_win() -> None:
    made = plan(replace(READY, standing=0.97, train=10))
    assert made.advice == "keep to retrieval"
    assert "97% of 1,000 answers stand uncorrected" in made.message


def test_a_handful_of_answers_says_nothing_about_retrieval() -> None:
    assert plan(replace(READY, answers=9, standing=1.0)).advice == "train"


def test_what_is_not_known_speaks_against_nothing() -> None:
    assert plan(replace(READY, in_voice=None, covered=None, standing=None)).advice == "train"
