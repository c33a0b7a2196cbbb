"""Means with bootstrap intervals (Efron and Tibshirani 1993), and tests of paired values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

#: Samples drawn for an interval. 2,000 keep the ends of a 95 % interval steady to about 0.5 % of
#: its width (Efron and Tibshirani 1993, section 14.3, recommend at least 1,000).
RESAMPLES = 2000
#: Signs drawn for a randomisation test: a p-value of 0.025 is then known to about 0.003 (two
#: standard errors).
DRAWS = 9_999
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of `values` with its percentile-bootstrap interval; zeros for no values."""
    import numpy

    if not values:
        return Interval(0.0, 0.0, 0.0, 0)
    data = numpy.asarray(values, dtype=float)
    drawn = numpy.random.default_rng(seed).integers(0, len(data), (RESAMPLES, len(data)))
    means = data[drawn].mean(axis=1)
    tail = (1 - _CONFIDENCE) / 2
    low, high = numpy.quantile(means, (tail, 1 - tail))
    return Interval(float(data.mean()), float(low), float(high), len(data))


def share_interval(hits: int, count: int) -> Interval:
    """Return the share of hits with its 95 % interval (Wilson 1927); zeros for no values.

    Unlike the bootstrap it does not call a share certain where all of a few values are the same.
    """
    low, high = wilson(hits / count, count) if count else (0.0, 0.0)
    return Interval(hits / count if count else 0.0, low, high, count)


def wilson(share: float, count: float) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share (Wilson 1927) of `count` values.

    The count may be broken: the effective size of a weighted sample (Kish, "Survey Sampling",
    1965) takes the place of how many there are.
    """
    squared = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2) ** 2
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    reach = sqrt(squared * (share * (1 - share) / count + squared / (4 * count**2)))
    reach /= 1 + squared / count
    return max(0.0, middle - reach), min(1.0, middle + reach)


def difference_interval(
    challenger: Sequence[float], champion: Sequence[float], seed: int = 0
) -> Interval:
    """Return the mean of the paired differences, challenger less champion, with its interval.

    Whole questions are resampled, so that what makes a question hard for both cancels out
    (Koehn 2004, "Statistical significance tests for machine translation evaluation").

    Raises:
        ValueError: the two were not measured on the same questions.
    """
    if len(challenger) != len(champion):
        raise ValueError(
            f"Paired values are needed: {len(challenger)} and {len(champion)} were given."
        )
    return mean_interval([new - old for new, old in zip(challenger, champion, strict=True)], seed)


def better_by_chance(
    challenger: Sequence[float], champion: Sequence[float], seed: int = 0
) -> float:
    """Return how often chance alone makes the challenger look at least so much better.

    The p-value, one-sided, of the paired randomisation test: if the two were alike, each
    difference could as well have had the other sign (Fisher 1935; for measures of answers Riezler
    and Maxwell 2005, "On some pitfalls in automatic evaluation and significance testing", who find
    the bootstrap to claim too much). `DRAWS` signs are drawn; counting what was observed among
    them keeps the test valid (Phipson and Smyth 2010).

    Raises:
        ValueError: the two were not measured on the same questions.
    """
    import numpy

    if len(challenger) != len(champion):
        raise ValueError(
            f"Paired values are needed: {len(challenger)} and {len(champion)} were given."
        )
    change = numpy.asarray(challenger, dtype=float) - numpy.asarray(champion, dtype=float)
    change = change[change != 0]
    if not len(change):
        return 1.0
    draw = numpy.random.default_rng(seed)
    seen, left = 0, DRAWS
    while left:
        count = min(left, max(1, 2_000_000 // len(change)))
        signs = draw.integers(0, 2, (count, len(change)), dtype=numpy.int8) * 2.0 - 1.0
        seen += int((signs @ change >= change.sum() - 1e-9).sum())
        left -= count
    return (1 + seen) / (1 + DRAWS)


def ratio_interval(parts: Sequence[float], wholes: Sequence[float], seed: int = 0) -> Interval:
    """Return the sum of `parts` over the sum of `wholes` with its interval; zeros for nothing.

    Answers are resampled, not their sentences: sentences of one answer stand and fall together.

    Args:
        parts: For each answer, how many of its sentences it is about.
        wholes: For each answer, how many sentences it has.
        seed: Of the samples drawn.

    Returns:
        The ratio; `count` is the sum of `wholes`.
    """
    import numpy

    if not sum(wholes):
        return Interval(0.0, 0.0, 0.0, 0)
    part, whole = numpy.asarray(parts, dtype=float), numpy.asarray(wholes, dtype=float)
    drawn = numpy.random.default_rng(seed).integers(0, len(part), (RESAMPLES, len(part)))
    sums = whole[drawn].sum(axis=1)
    ratios = part[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    tail = (1 - _CONFIDENCE) / 2
    low, high = numpy.quantile(ratios, (tail, 1 - tail))
    return Interval(float(part.sum() / whole.sum()), float(low), float(high), int(whole.sum()))
