"""The prequential score: how the serving version does on each new pair, before it learns it.

Test, then train (Dawid, "Prequential data analysis", 1992): the questions are always new to the
version that is measured. Mostly answers that somebody found wrong are corrected, so the level says
little; whether it rises from version to version says whether retraining helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import pair_trials
from storage.answers import Answer
from storage.pair_trials import Score, Trial
from storage.pairs import Pair
from training.evaluation.agreement import agrees
from training.evaluation.intervals import Interval, mean_interval, share_interval
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


@dataclass(frozen=True)
class VersionScore:
    """How one version did on questions that were new to it.

    Attributes:
        version: Its name; `retrieval` where no model answered.
        since: When the first of the pairs came.
        until: When the last came.
        agreeing: The share of answers that said what the expert says, with its 95 % interval.
        overlap: The mean token F1, with its 95 % interval.
    """

    version: str
    since: datetime
    until: datetime
    agreeing: Interval
    overlap: Interval


def score(answer: Answer, pair: Pair) -> Score:
    """Compare the answer that was given with the one that an expert gives instead."""
    said = without_citations(answer.text)
    return Score(
        version=answer.model_version or "retrieval",
        status=answer.status,
        overlap=token_f1(said, pair.output),
        agrees=agrees(said, pair.output),
    )


def try_first(session: Session, pair: Pair, answer: Answer | None) -> None:
    """Let a new pair be a test of the version whose answer it betters, unless that learned it.

    Args:
        session: The transaction in which the pair is proposed.
        pair: The pair.
        answer: The answer that was given; without one there is nothing to measure.
    """
    if answer is None:
        return
    found = score(answer, pair)
    if not pair_trials.has_learned(session, found.version, pair.id):
        pair_trials.record(session, pair.id, found)


def by_version(trials: Sequence[Trial]) -> tuple[VersionScore, ...]:
    """Return how each version did on all that came while it answered, in the order they began."""
    names = tuple(dict.fromkeys(trial.score.version for trial in trials))
    return tuple(
        _of_version(name, [trial for trial in trials if trial.score.version == name])
        for name in names
    )


def plain(score: VersionScore) -> dict[str, Any]:
    """Return how a version did as plain values."""
    return {
        "version": score.version,
        "since": score.since.isoformat(timespec="seconds"),
        "until": score.until.isoformat(timespec="seconds"),
        "pairs": score.agreeing.count,
        "agreeing": asdict(score.agreeing),
        "overlap": asdict(score.overlap),
    }


def _of_version(name: str, trials: Sequence[Trial]) -> VersionScore:
    return VersionScore(
        version=name,
        since=trials[0].tried_at,
        until=trials[-1].tried_at,
        agreeing=share_interval(sum(trial.score.agrees for trial in trials), len(trials)),
        overlap=mean_interval([trial.score.overlap for trial in trials]),
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
