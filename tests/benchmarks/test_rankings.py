from __future__ import annotations

import random
import re

import pytest

from tests.benchmarks.rankings import Agreement, Scores, agreement, differences, show


def answers(share: float, questions: int, seed: int) -> list[float]:
    draw = random.Random(seed)
    return [float(draw.random() < share) for _ in range(questions)]


def test_two_more_right_of_a_hundred_are_no_ranking() -> None:
    base = [1.0] * 40 + [0.0] * 60
    tuned = [1.0] * 42 + [0.0] * 58  # even if it loses not one that the base had right
    assert differences({"base": base, "tuned": tuned})["base", "tuned"].verdict == 0


def test_four_gains_without_a_loss_are_as_likely_as_four_heads() -> None:
    tuned = [1.0] * 4 + [0.0] * 96
    found = differences({"base": [0.0] * 100, "tuned": tuned})["base", "tuned"]
    assert found.chance == pytest.approx(2 / 16, abs=0.02)
    assert found.verdict == 0  # though the bootstrap's interval lies above nothing
    assert found.change.low > 0


def test_a_small_loss_on_every_question_is_one() -> None:
    base = [-1.0 - place / 10 for place in range(25)]
    tuned = [value - 0.05 for value in base]
    found = differences({"base": base, "tuned": tuned})["base", "tuned"]
    assert found.verdict == -1
    assert found.change.mean == pytest.approx(-0.05)


def test_collections_agree_only_about_what_both_can_tell() -> None:
    clear = {"base": [0.0] * 50, "replay": [1.0] * 50, "none": answers(0.5, 50, 1)}
    turned = {"base": [1.0] * 50, "replay": [0.0] * 50, "none": answers(0.5, 50, 2)}
    silent = {name: [0.0] * 50 for name in clear}
    assert agreement(clear, clear) == Agreement(same=3, contrary=0, undecided=0)
    assert agreement(clear, turned) == Agreement(same=0, contrary=3, undecided=0)
    assert agreement(clear, silent) == Agreement(same=0, contrary=0, undecided=3)


def test_the_tables_say_what_is_beyond_noise_and_what_guessing_reaches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = {
        "base": Scores({"arc": [0.0] * 9 + [1.0], "own": [0.0] * 10}, {"arc": [-2.0] * 10}),
        "tuned": Scores({"arc": [0.0] * 8 + [1.0] * 2, "own": [1.0] * 10}, {"arc": [-1.0] * 10}),
    }
    found = {n: Scores(s.right, {**s.likelihood, "own": [0.0] * 10}) for n, s in found.items()}
    show(found, "own", {"arc": 0.25})
    told = capsys.readouterr().out
    assert "25.0%" in told
    assert "-1.386" in told
    assert re.search(r"\+100.0% \(\+100.0% to \+100.0%\), p 0.00\d better", told)
    assert re.search(r"\+10.0% \(\+0.0% to \+30.0%\), p 1.000 +│", told)
    assert "0 / 0 / 1" in told
