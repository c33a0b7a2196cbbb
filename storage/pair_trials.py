"""Trials: each correction is first a test of the version that answered, on what it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import PairRow, PairTrialRow


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
