from __future__ import annotations

import os

import pytest

from tests.training.gate_simulation import NO_DIFFERENCE, World, passing

LONG = bool(os.environ.get("SKREDDER_LONG"))


def test_no_difference_passes_the_gate_in_at_most_a_twentieth_of_all_cases() -> None:
    # In the worst of the worlds, by the whole simulation.
    rate = passing(World(50, 0.6, 0.0), trials=250, seed=5)
    assert rate <= 0.05


def test_a_real_difference_mostly_passes() -> None:
    assert passing(World(50, 0.6, 0.0, better_answers=0.2), trials=40, seed=6) >= 0.7


@pytest.mark.skipif(not LONG, reason="takes minutes; SKREDDER_LONG=1 runs it")
@pytest.mark.parametrize("world", NO_DIFFERENCE, ids=str)
def test_in_a_thousand_runs_of_any_world_at_most_a_twentieth_passes(world: World) -> None:
    assert passing(world, trials=1000, seed=7) <= 0.05
