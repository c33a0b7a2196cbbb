"""The prequential score: how the serving version does on each new correction, before it learns it.

Test, then train (Dawid, "Prequential data analysis", 1992): the questions are always new to the
version that is measured. Mostly answers that somebody found wrong are corrected, so the level says
little; whether it rises from version to version says whether retraining helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.answers import Answer
from storage.pair_trials import Score, Trial
from storage.pairs import NewPair
from training.evaluation.agreement import agrees
from training.evaluation.metrics import token_f1
from training.prompt import without_citations

#: Corrections that one point of the curve stands for.
WINDOW = 20


@dataclass(frozen=True)
class Point:
    """One point of the curve.

    Attributes:
        at: When the last of its corrections came.
        version: The version that answered most of them.
        corrections: How many it stands for.
        overlap: Their mean token F1.
        agreeing: The share of answers that said what the expert says.
    """

    at: datetime
    version: str
    corrections: int
    overlap: float
    agreeing: float


def score(answer: Answer, pair: NewPair) -> Score:
    """Compare the answer that was given with the one that an expert gives instead."""
    said = without_citations(answer.text)
    return Score(
        version=answer.model_version or "retrieval",
        status=answer.status,
        overlap=token_f1(said, pair.output),
        agrees=agrees(said, pair.output),
    )


def curve(trials: Sequence[Trial], window: int = WINDOW) -> tuple[Point, ...]:
    """Return the mean of each `window` trials in a row; the last may stand for fewer."""
    points = []
    for start in range(0, len(trials), window):
        part = trials[start : start + window]
        versions = [trial.score.version for trial in part]
        points.append(
            Point(
                at=part[-1].tried_at,
                version=max(sorted(set(versions)), key=versions.count),
                corrections=len(part),
                overlap=sum(trial.score.overlap for trial in part) / len(part),
                agreeing=sum(trial.score.agrees for trial in part) / len(part),
            )
        )
    return tuple(points)
