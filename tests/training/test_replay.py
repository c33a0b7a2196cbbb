from __future__ import annotations

import pytest

from training.replay import read_prompts, rows_wanted, told_repeats


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (0, "No general examples are rehearsed."),
        (400, "71 general examples are rehearsed, each once."),
        (793, "140 general examples are rehearsed, each once."),
        (1000, "176 general examples are rehearsed: 140 different ones, each 1 or 2 times."),
        (5000, "882 general examples are rehearsed: 140 different ones, each 6 or 7 times."),
    ],
)
def test_it_is_said_how_often_each_general_example_is_rehearsed(pairs: int, said: str) -> None:
    prompts = len(read_prompts())
    assert prompts == 140
    assert told_repeats(rows_wanted(pairs, 0.15), prompts) == said


def test_that_they_are_rehearsed_very_often_is_said_with_what_to_do() -> None:
    assert "That is often" not in told_repeats(1400, 140)
    said = told_repeats(1401, 140)
    assert "That is often" in said
    assert "training.replay_share" in said
