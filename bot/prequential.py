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

from storage import pair_trials, versions
from storage.answers import Answer
from storage.pair_trials import Score, Trial
from storage.pairs import Pair
from training.evaluation.agreement import agrees
from training.evaluation.intervals import Interval, mean_interval, share_interval, wilson
from training.evaluation.metrics import token_f1
from training.prompt import without_citations

#: How much each correction counts less for the next one. With 0.95 the last 20 make up nearly two
#: thirds of the score, and the interval is as wide as that of 39 corrections that count alike.
FADING = 0.95

#: Fewer scores than this are no curve: one answer more or less moves it by a fifth.
FEWEST = 5

#: How many changes of version are marked at most.
_MOST_CHANGES = 50


@dataclass(frozen=True)
class Point:
    """How the score stood after a correction.

    Attributes:
        at: When it came.
        version: Whose answer it bettered.
        agreeing: The share of answers that said what the expert says, the newest counting most.
        low: The lower end of its 95 % interval.
        high: The upper end.
        overlap: The mean token F1, weighted likewise.
    """

    at: datetime
    version: str
    agreeing: float
    low: float
    high: float
    overlap: float


@dataclass(frozen=True)
class Change:
    """When another version began to answer, and which."""

    at: datetime
    version: str


@dataclass(frozen=True)
class History:
    """The running score with the changes of version that happened meanwhile."""

    points: tuple[Point, ...]
    changes: tuple[Change, ...]

    @property
    def is_a_curve(self) -> bool:
        """Whether there are enough scores to draw."""
        return len(self.points) >= FEWEST


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


def curve(trials: Sequence[Trial], fading: float = FADING) -> tuple[Point, ...]:
    """Return how the score ran: after each trial the mean of all, older ones counting less.

    The prequential error with a fading factor α of Gama, Sebastião and Rodrigues, "On evaluating
    stream learning algorithms" (Machine Learning 90, 2013): S = x + α S, B = 1 + α B, and S / B.
    The interval is Wilson's for the effective size of the weights, (Σw)² / Σw² (Kish 1965).

    Args:
        trials: In the order in which they happened.
        fading: α, above 0 and at most 1, which forgets nothing.
    """
    points, agreed, overlap, weights, squares = [], 0.0, 0.0, 0.0, 0.0
    for trial in trials:
        agreed = trial.score.agrees + fading * agreed
        overlap = trial.score.overlap + fading * overlap
        weights = 1 + fading * weights
        squares = 1 + fading**2 * squares
        low, high = wilson(agreed / weights, weights**2 / squares)
        points.append(
            Point(
                trial.tried_at, trial.score.version, agreed / weights, low, high, overlap / weights
            )
        )
    return tuple(points)


def history(session: Session) -> History:
    """Return how the score ran, and when another version began to answer meanwhile."""
    points = curve(pair_trials.series(session))
    if not points:
        return History((), ())
    moved = versions.promotions(session, limit=_MOST_CHANGES)
    return History(
        points,
        tuple(
            Change(each.created_at, each.version)
            for each in reversed(moved)
            if each.created_at >= points[0].at
        ),
    )
