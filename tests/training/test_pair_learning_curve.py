from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.training.samples import (
    pair,
    row_maker,
)
from training.base_model import BaseModel
from training.pair_learning_curve import (
    Curve,
    Making,
    Point,
    TooFewPairs,
    divide,
    draw_curve,
    paired_gain,
)
from training.process import TrainingCancelled
from training.recipe import Recipe

RECIPE = Recipe(batch_size=4, nice=0, learning_rate=1e-2, warmup_steps=1)


def making(base: BaseModel) -> Making:
    return Making(base, row_maker(RECIPE))


def curve(gain: float, margin: float, available: int = 100) -> Curve:
    return Curve((Point(0, 3.0), Point(20, 2.5), Point(40, 2.2), Point(80, 2.0)), 20, gain, margin,
                 available)  # fmt: skip


def test_each_part_holds_the_one_before_and_no_group_is_measured_and_learned() -> None:
    pairs = [pair(n, group=f"topic {n // 3}") for n in range(300)]
    pairs += [pair(n, split="held_out") for n in range(300, 350)]
    parts = divide(pairs, most=120, seed=7)
    sizes = [len(part) for part in parts.learned]
    assert sizes == sorted(sizes)
    for size, wished in zip(sizes, (30, 60, 120), strict=True):
        assert wished <= size < wished + 3
    for smaller, larger in zip(parts.learned, parts.learned[1:], strict=False):
        assert larger[: len(smaller)] == smaller
    groups = [
        {each.group_key for each in part}
        for part in (parts.validation, parts.learned[-1], parts.learned[0])
    ]
    assert groups[0].isdisjoint(groups[1])
    assert 60 <= len(parts.validation) < 63
    rest = {each.group_key for each in parts.learned[-1][len(parts.learned[0]) :]}
    assert groups[2].isdisjoint(rest)


def test_what_is_held_out_for_the_gate_is_neither_learned_nor_measured_on() -> None:
    pairs = [pair(n, split="held_out" if n % 2 else "train") for n in range(200)]
    parts = divide(pairs, most=500, seed=7)
    assert not any(each.is_held_out for each in (*parts.validation, *parts.learned[-1]))
    assert len(parts.validation) + len(parts.learned[-1]) == 100
    assert divide(pairs, most=500, seed=8).validation != parts.validation


def test_a_handful_of_pairs_has_no_curve() -> None:
    with pytest.raises(TooFewPairs, match="39 pairs"):
        divide([pair(n) for n in range(39)], most=240, seed=7)
    with pytest.raises(TooFewPairs, match="needs 40"):
        divide([pair(n) for n in range(200)], most=39, seed=7)


def test_many_answers_of_one_group_do_not_make_a_gain_surer() -> None:
    before, after = [2.0, 2.2, 1.9, 2.1], [1.8, 1.9, 1.85, 1.8]
    gain, margin = paired_gain(before, after, ["a", "b", "c", "d"])
    assert gain == pytest.approx(0.2125)
    assert 0 < margin < gain
    assert paired_gain(before * 9, after * 9, ["a", "b", "c", "d"] * 9) == pytest.approx(
        (gain, margin)
    )


def test_it_is_said_in_a_sentence_whether_more_pairs_help() -> None:
    assert curve(0.2, 0.05).message == (
        "More pairs still help: from 40 to 80 pairs the loss fell by 0.200 nats a token, give or "
        "take 0.050, on 20 answers that were not learned."
    )
    assert curve(0.001, 0.005).message.startswith("More pairs of this kind hardly help: ")
    assert curve(-0.01, 0.005).message.startswith("More pairs of this kind hardly help: ")
    assert "rose by 0.010" in curve(-0.01, 0.005).message
    assert curve(0.1, 0.2).message.startswith("Whether more pairs help cannot be told yet: ")
    assert "There are 900 pairs to learn from; `--most`" in curve(0.2, 0.05, 900).message


@pytest.mark.skipif("SKREDDER_LONG" not in os.environ, reason="three trainings take a minute")
def test_a_model_that_learns_gets_better_with_pairs_and_leaves_nothing_behind(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    folder, steps = tmp_path / "curve", list[tuple[int, int, str]]()
    found = draw_curve(
        [pair(n) for n in range(1, 76)],
        making(tiny_model),
        folder,
        on_step=lambda *step: steps.append(step),
    )
    assert [point.pairs for point in found.points] == [0, 15, 30, 60]
    losses = [point.loss for point in found.points]
    assert losses == sorted(losses, reverse=True)
    assert found.gain == pytest.approx(losses[-2] - losses[-1])
    assert found.helps
    assert (found.validation, found.available) == (15, 75)
    assert not folder.exists()
    done = [step for step, _, _ in steps]
    assert done == sorted(done)
    assert steps[-1] == (27, 27, "Measuring on 15 answers")


def test_a_stopped_curve_leaves_nothing_behind(tiny_model: BaseModel, tmp_path: Path) -> None:
    with pytest.raises(TrainingCancelled):
        draw_curve(
            [pair(n) for n in range(1, 76)],
            making(tiny_model),
            tmp_path / "curve",
            should_stop=lambda: True,
        )
    assert not (tmp_path / "curve").exists()
