from __future__ import annotations

from typing import Any

import numpy
import pytest

from training.canary import CanaryRules, block_sizes, judge

RULES = CanaryRules(most_threads=1500)


def verdicts(
    trials: int, *, champion: float, challenger: float, share: float, seed: int, threads: int = 1500
) -> dict[str, float]:
    """Return how canaries end that are looked at after every block, as shares."""
    draw: Any = numpy.random.default_rng(seed)
    few, many = block_sizes(share)
    blocks = threads // (few + many)
    ends = {"promote": 0, "withdraw": 0, "go on": 0}
    for _ in range(trials):
        old = list(draw.random(blocks * few) < champion)
        new = list(draw.random(blocks * many) < challenger)
        # The verdict is that of the first block with one: looking at the end is looking always.
        ends[judge(old, new, share, RULES).verdict] += 1
    return {name: count / trials for name, count in ends.items()}


def test_a_verdict_is_the_same_whenever_one_looks() -> None:
    draw = numpy.random.default_rng(3)
    old, new = list(draw.random(600) < 0.3), list(draw.random(600) < 0.1)
    at_the_end = judge(old, new, 0.5, RULES)
    peeks = (judge(old[:n], new[:n], 0.5, RULES) for n in range(601))
    first = next(state for state in peeks if state.verdict != "go on")
    assert first == at_the_end
    assert first.verdict == "promote"
    assert first.challenger[1] < 600


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_in_a_thousand_canaries_looked_at_all_the_time_at_most_a_twentieth_is_promoted(
    share: float, rate: float
) -> None:
    ends = verdicts(1000, champion=rate, challenger=rate, share=share, seed=2)
    assert ends["promote"] <= 0.05


def test_a_truly_worse_challenger_is_promoted_even_more_seldom_and_mostly_withdrawn() -> None:
    ends = verdicts(300, champion=0.1, challenger=0.25, share=0.5, seed=3)
    assert ends["promote"] == 0
    assert ends["withdraw"] >= 0.9


def test_a_challenger_that_halves_the_bad_threads_is_mostly_promoted() -> None:
    ends = verdicts(300, champion=0.2, challenger=0.1, share=0.5, seed=4)
    assert ends["promote"] >= 0.8


def test_the_mean_of_the_evidence_is_at_most_one_without_a_difference() -> None:
    # Every outcome of one block, weighed by how likely it is: the property the test rests on.
    for rate in (0.05, 0.3, 0.6):
        for share in (0.2, 0.5):
            few, many = block_sizes(share)
            mean = 0.0
            for outcome in range(2 ** (few + many)):
                bits = [bool(outcome >> n & 1) for n in range(few + many)]
                likely = float(numpy.prod([rate if bad else 1 - rate for bad in bits]))
                mean += likely * judge(bits[:few], bits[few:], share, RULES).better
            assert mean <= 1 + 1e-9


def test_a_canary_without_proof_ends_with_the_champion() -> None:
    rules = CanaryRules(most_threads=40)
    state = judge([False] * 30, [False] * 30, 0.5, rules)
    assert state.verdict == "withdraw"
    assert "nothing is proved" in state.reason()


def test_before_the_first_block_nothing_is_known() -> None:
    assert judge([True] * 3, [], 0.5, RULES).verdict == "go on"
    assert "too few to tell" in judge([], [], 0.5, RULES).reason()


@pytest.mark.parametrize(
    ("share", "sizes"), [(0.5, (1, 1)), (0.2, (4, 1)), (0.1, (9, 1)), (0.75, (1, 3))]
)
def test_a_block_has_threads_as_the_share_says(share: float, sizes: tuple[int, int]) -> None:
    assert block_sizes(share) == sizes


def test_a_share_of_all_is_no_canary() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        block_sizes(1.0)
