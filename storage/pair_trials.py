"""Trials: each correction is first a test of the version that answered, on what it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import (
    PairGroupRow,
    PairRow,
    PairTrialRow,
    RunRow,
    SnapshotPairRow,
    VersionRow,
)


@dataclass(frozen=True)
class Score:
    """How an answer compares with the one that an expert gives instead.

    Attributes:
        version: The version that answered; `retrieval` if no model did.
        status: How it was answered.
        overlap: Token F1 of the two answers, between 0 and 1.
        agrees: Whether it says what the expert says.
    """

    version: str
    status: str
    overlap: float
    agrees: bool


@dataclass(frozen=True)
class Trial:
    """A score with the pair that it was measured on."""

    pair_id: int
    score: Score
    tried_at: datetime


def record(session: Session, pair_id: int, score: Score) -> bool:
    """Store how the serving version did on a new pair. The first measurement stays.

    Returns:
        Whether it was stored now.
    """
    made = insert_once(
        session,
        PairTrialRow,
        pair_id=pair_id,
        version=score.version,
        status=score.status,
        overlap=score.overlap,
        agrees=score.agrees,
        tried_at=utc_now(),
    )
    return made is not None


def has_learned(session: Session, version: str, pair_id: int) -> bool:
    """Whether a version was trained on a pair of the same question, in these or in other words."""
    own, other = aliased(PairGroupRow), aliased(PairGroupRow)
    group = (
        select(func.coalesce(own.merged_into_id, own.id))
        .join(PairRow, PairRow.group_id == own.id)
        .where(PairRow.id == pair_id)
        .scalar_subquery()
    )
    learned = (
        select(SnapshotPairRow.pair_id)
        .join(RunRow, RunRow.snapshot_id == SnapshotPairRow.snapshot_id)
        .join(VersionRow, VersionRow.run_id == RunRow.id)
        .join(PairRow, PairRow.id == SnapshotPairRow.pair_id)
        .join(other, other.id == PairRow.group_id)
        .where(
            VersionRow.name == version,
            SnapshotPairRow.split == "train",
            func.coalesce(other.merged_into_id, other.id) == group,
        )
    )
    return session.scalar(learned.limit(1)) is not None


def series(session: Session, since: datetime | None = None) -> tuple[Trial, ...]:
    """Return the trials in the order in which they happened.

    Those of pairs that experts rejected are left out: what was measured there was not the answer.
    """
    wanted = (
        select(PairTrialRow)
        .join(PairRow, PairRow.id == PairTrialRow.pair_id)
        .where(PairRow.state != "rejected")
        .order_by(PairTrialRow.id)
    )
    if since is not None:
        wanted = wanted.where(PairTrialRow.tried_at >= since)
    return tuple(
        Trial(row.pair_id, Score(row.version, row.status, row.overlap, row.agrees), row.tried_at)
        for row in session.scalars(wanted)
    )
