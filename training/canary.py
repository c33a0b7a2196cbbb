"""Is a challenger better with people? A test that may be looked at after every thread.

A thread is bad if somebody voted it down or corrected it. Champion and challenger are compared in
blocks of a fixed number of threads of each, in the order in which the threads began. For a pair of
rates the likelihood ratio of a block against the one rate between them is a variable whose mean is
at most 1 if there is no difference (Turner, Ly and Grünwald 2024, "Generic E-variables for exact
sequential k-sample tests that allow for optional stopping", theorem 1). So is the product over
blocks, and so is a mixture of such products over many pairs of rates (Robbins 1970); by Ville's
inequality it ever reaches 1 / level with at most that probability. That holds whenever one looks,
however often, and exactly, not only for many threads.

With pairs of rates in which the challenger's is lower, it also holds if the challenger is truly
worse: a block's mean falls with the challenger's rate and rises with the champion's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["promote", "withdraw", "go on"]

#: Rates of bad threads that are thought of, and by what the better version's may be smaller.
_RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
_SMALLER = (0.25, 0.5, 0.7, 0.85)


@dataclass(frozen=True)
class CanaryRules:
    """When a canary ends.

    Attributes:
        level: The most that a challenger which is no better may be promoted, and one which is no
            worse be withdrawn for being worse, as a share.
        most_threads: After so many settled threads in all it is withdrawn unproved.
    """

    level: float = 0.05
    most_threads: int = 4000

    def __post_init__(self) -> None:
        """Refuse a level that is none. Raises `ValueError`."""
        if not 0 < self.level < 1:
            raise ValueError(f"level is between 0 and 1, not {self.level}.")


@dataclass(frozen=True)
class CanaryState:
    """How a canary stands.

    Attributes:
        verdict: What follows from it.
        better: Evidence that the challenger is better, as a factor: at most 1 in the mean if not.
        worse: Evidence that it is worse.
        champion: Bad threads, and threads, of the champion in whole blocks.
        challenger: The same of the challenger.
    """

    verdict: Verdict
    better: float
    worse: float
    champion: tuple[int, int]
    challenger: tuple[int, int]

    def reason(self) -> str:
        """Say in words what was seen and what follows."""
        seen = (
            f"{self.challenger[0]} of {self.challenger[1]} threads with the challenger were voted "
            f"down or corrected, {self.champion[0]} of {self.champion[1]} with the champion"
        )
        if self.verdict == "promote":
            return f"{seen}: better, {self.better:.0f} to 1 against chance."
        if self.verdict == "withdraw" and self.worse > self.better:
            return f"{seen}: worse, {self.worse:.0f} to 1 against chance."
        if self.verdict == "withdraw":
            return f"{seen}: nothing is proved after so many, so the champion stays."
        return f"{seen}: too few to tell."


def block_sizes(share: float) -> tuple[int, int]:
    """Return how many threads of champion and challenger make a block, for the challenger's share.

    Raises:
        ValueError: `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"A canary's share is between 0 and 1, not {share}.")
    if share <= 0.5:
        return max(1, round((1 - share) / share)), 1
    return 1, max(1, round(share / (1 - share)))


def judge(
    champion: Sequence[bool], challenger: Sequence[bool], share: float, rules: CanaryRules
) -> CanaryState:
    """Say how a canary stands after the threads so far.

    The verdict is that of the first block at which one was reached: it never depends on when, or
    how often, one looks.

    Args:
        champion: For each settled thread of the champion whether it is bad, in their order.
        challenger: The same of the challenger.
        share: The share of threads that the challenger gets.
        rules: When it ends.
    """
    few, many = block_sizes(share)
    blocks = min(len(champion) // few, len(challenger) // many)
    if not blocks:
        return CanaryState("go on", 1.0, 1.0, (0, 0), (0, 0))
    import numpy

    bad = numpy.array(champion[: blocks * few], dtype=int).reshape(blocks, few).sum(axis=1)
    bad_new = numpy.array(challenger[: blocks * many], dtype=int).reshape(blocks, many).sum(axis=1)
    better = _evidence(bad, bad_new, few, many)
    worse = _evidence(bad, bad_new, few, many, challenger_is_worse=True)
    threads = numpy.arange(1, blocks + 1) * (few + many)
    promotes = better >= 1 / rules.level
    withdraws = (worse >= 1 / rules.level) | (threads >= rules.most_threads)
    ends = numpy.flatnonzero(promotes | withdraws)
    last = int(ends[0]) if len(ends) else blocks - 1
    verdict: Verdict = "go on"
    if len(ends):
        verdict = "promote" if promotes[last] else "withdraw"
    return CanaryState(
        verdict,
        float(better[last]),
        float(worse[last]),
        (int(bad[: last + 1].sum()), (last + 1) * few),
        (int(bad_new[: last + 1].sum()), (last + 1) * many),
    )


def _evidence(
    bad: Any, bad_new: Any, few: int, many: int, *, challenger_is_worse: bool = False
) -> Any:
    """Return the mixture of likelihood ratios after each block, for one direction.

    Args:
        bad: Bad threads of the champion in each block.
        bad_new: The same of the challenger.
        few: Threads of the champion in a block.
        many: Threads of the challenger in a block.
        challenger_is_worse: The direction.
    """
    import numpy

    pairs = [(rate, rate * smaller) for rate in _RATES for smaller in _SMALLER]
    old, new = (numpy.array(rates) for rates in zip(*pairs, strict=True))
    if challenger_is_worse:
        old, new = new, old
    between = (few * old + many * new) / (few + many)
    logs = sum(
        numpy.outer(count, numpy.log(rate / between))
        + numpy.outer(size - count, numpy.log((1 - rate) / (1 - between)))
        for count, size, rate in ((bad, few, old), (bad_new, many, new))
    )
    sums = numpy.cumsum(logs, axis=0)
    highest = sums.max(axis=1)
    means = highest + numpy.log(numpy.exp(sums - highest[:, None]).mean(axis=1))
    return numpy.exp(numpy.minimum(means, 700.0))
