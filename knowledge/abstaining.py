"""How likely it is that the passages found answer a question, from plain figures of the search.

A logistic regression, fitted by `tests/benchmarks/abstaining.py` on questions with and without an
answer in the documents. Settings hold the precision that is wished for; the threshold for it comes
out of the same calibration.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

#: Of the questions that are tried, the share that has an answer in the documents.
PRECISION = 0.9

#: How many of the questions that people ask have no answer in the documents, as it is assumed. With
#: more of them a wished precision is not reached.
UNANSWERABLE_SHARE = 0.25

#: How much words count beside the similarity.
WORDS_WEIGHT = 0.5

CALIBRATION_FILE = "abstaining.json"

#: What the probability is made of. Chosen in cross-validation over all questions among these and
#: other figures of coverage, of agreement between meaning and words, of how far the best passage
#: and the best sentence stand out, and of the question's length (AUROC .89; without the last two
#: .87).
FEATURES = (
    "strength",  # similarity, and half the coverage times the root of the number of words
    "answer",  # how like the question the sentence is that answers it best
    "size",  # the logarithm of how many passages were searched: in many, something is always near
)


class CalibrationUnusable(Exception):
    """The calibration cannot be read; the message says which file and what to do."""


@dataclass(frozen=True)
class Calibration:
    """A fitted logistic regression and what each threshold is worth.

    Attributes:
        means: Of each feature, where it was fitted.
        scales: Standard deviations of the same.
        coefficients: Of the standardised features.
        intercept: Of the sum.
        thresholds: Triples of precision, threshold, and the share of answerable questions tried.
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    thresholds: tuple[tuple[float, float, float], ...]

    def probability(self, figures: Mapping[str, float]) -> float:
        """Return the probability that a question with these figures can be answered."""
        total = self.intercept + sum(
            coefficient * (figures[name] - mean) / scale
            for name, mean, scale, coefficient in zip(
                FEATURES, self.means, self.scales, self.coefficients, strict=True
            )
        )
        return 1 / (1 + math.exp(-min(max(total, -500.0), 500.0)))

    def threshold(self, precision: float) -> float:
        """Return the least probability at which a wished precision is reached.

        Between the steps of the table it is interpolated; more than the best step is that step.
        """
        below: tuple[float, float] | None = None
        for reached, threshold, _ in sorted(self.thresholds):
            if reached >= precision:
                if below is None or reached == below[0]:
                    return threshold
                part = (precision - below[0]) / (reached - below[0])
                return below[1] + part * (threshold - below[1])
            below = (reached, threshold)
        return below[1] if below is not None else 1.0


def figures_of(
    similarities: Sequence[float],
    shares: Sequence[float],
    asked: int,
    *,
    answer: float,
    searched: int,
) -> dict[str, float]:
    """Return the features by name.

    A passage never has all the words of a long question, so the share it has counts with the
    square root of the question's length.

    Args:
        similarities: Of the passages found with the question, in the order of their rank.
        shares: How much of what was asked each passage has, rare words counting more.
        asked: How many different words were asked for.
        answer: How like the question the sentence is that answers it best.
        searched: How many passages were searched.
    """
    if not similarities:
        return dict.fromkeys(FEATURES, 0.0)
    root = math.sqrt(asked)
    return {
        "answer": answer,
        "size": math.log(max(1, searched)),
        "strength": max(
            similarity + WORDS_WEIGHT * share * root
            for similarity, share in zip(similarities, shares, strict=True)
        ),
    }


@cache
def calibration() -> Calibration:
    """Return the calibration that came with the program. Raise `CalibrationUnusable` without."""
    try:
        text = resources.files("knowledge").joinpath(CALIBRATION_FILE).read_text("utf-8")
        plain = json.loads(text)
        if tuple(plain["features"]) != FEATURES:
            raise ValueError("it was fitted on other features")
        return Calibration(
            means=tuple(plain["means"]),
            scales=tuple(plain["scales"]),
            coefficients=tuple(plain["coefficients"]),
            intercept=float(plain["intercept"]),
            thresholds=tuple((float(p), float(t), float(r)) for p, t, r in plain["thresholds"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibrationUnusable(
            f"The calibration of abstaining, {CALIBRATION_FILE} in knowledge, cannot be read: "
            f"{error}. Install Skredder again."
        ) from error
