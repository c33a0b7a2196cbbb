"""Conflicts: two pairs for the same question whose answers cannot both be right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import audit, pair_holds
from storage.clock import utc_now
from storage.pair_records import PairChangeRefused
from storage.tables import PairConflictRow

OUTCOMES = ("older", "newer", "both")


@dataclass(frozen=True)
class Conflict:
    """A contradiction between two pairs, and what experts decided, if they did."""

    id: int
    older_id: int
    newer_id: int
    disagreement: str
    opened_at: datetime
    outcome: str | None
    decided_by: str | None
    decision_reason: str | None


def open_between(
    session: Session, older_id: int, newer_id: int, disagreement: str, actor: str
) -> Conflict:
    """Open a decision for experts; until it is made, the newer pair does not train.

    The same two pairs a second time change nothing, decided or not.

    Args:
        session: A writing transaction.
        older_id: The approved pair.
        newer_id: The pair that contradicts it.
        disagreement: What they disagree on, in words.
        actor: Who or what found it.
    """
    known = session.scalar(
        select(PairConflictRow).where(
            PairConflictRow.older_id == older_id, PairConflictRow.newer_id == newer_id
        )
    )
    if known is not None:
        return _conflict(known)
    reason = reason_to_hold(older_id, disagreement)
    (hold_id,) = pair_holds.place(session, newer_id, [reason], actor)
    row = PairConflictRow(
        older_id=older_id,
        newer_id=newer_id,
        hold_id=hold_id,
        disagreement=disagreement,
        opened_at=utc_now(),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "conflict.opened",
        f"conflict {row.id}",
        {"older": older_id, "newer": newer_id},
    )
    return _conflict(row)


def reason_to_hold(older_id: int, disagreement: str) -> str:
    """Return why a pair is held that contradicts an approved one, in words."""
    return f"It contradicts pair {older_id}: {disagreement}"


def waiting(session: Session, limit: int = 100) -> tuple[Conflict, ...]:
    """Return the conflicts that wait for a decision, oldest first."""
    rows = session.scalars(
        select(PairConflictRow)
        .where(PairConflictRow.outcome.is_(None))
        .order_by(PairConflictRow.id)
        .limit(limit)
    )
    return tuple(_conflict(row) for row in rows)


def close(session: Session, conflict_id: int, outcome: str, actor: str, reason: str) -> Conflict:
    """Store a decision, and let the newer pair go unless it lost. See `pairs.decide_conflict`.

    Raises:
        PairChangeRefused: there is no such conflict, it is decided, or no reason was given.
    """
    row = session.get(PairConflictRow, conflict_id, with_for_update=True)
    if row is None or row.outcome is not None:
        raise PairChangeRefused(f"Conflict {conflict_id} does not wait for a decision.")
    if outcome not in OUTCOMES:
        raise PairChangeRefused(f"Decide for one of {', '.join(OUTCOMES)}, not {outcome!r}.")
    if not reason.strip():
        raise PairChangeRefused("Say why; the reason is kept with the decision.")
    _settle(session, row, outcome, actor, reason)
    if outcome != "older":
        pair_holds.let_go(session, row.hold_id, actor, reason)
    return _conflict(row)


def settle_without(session: Session, pair_id: int) -> None:
    """Close the open conflicts of a pair that is not used any more; nothing is left to decide."""
    for row in session.scalars(
        select(PairConflictRow).where(
            PairConflictRow.outcome.is_(None),
            (PairConflictRow.older_id == pair_id) | (PairConflictRow.newer_id == pair_id),
        )
    ).all():
        _settle(session, row, "moot", "conflicts", f"Pair {pair_id} is not used any more.")
        pair_holds.let_go(session, row.hold_id, "conflicts", f"Pair {pair_id} is gone.")


def _settle(session: Session, row: PairConflictRow, outcome: str, actor: str, reason: str) -> None:
    row.outcome, row.decided_by, row.decided_at = outcome, actor, utc_now()
    row.decision_reason = reason
    audit.record(session, actor, "conflict.decided", f"conflict {row.id}", {"outcome": outcome})
    session.flush()


def _conflict(row: PairConflictRow) -> Conflict:
    return Conflict(
        row.id,
        row.older_id,
        row.newer_id,
        row.disagreement,
        row.opened_at,
        row.outcome,
        row.decided_by,
        row.decision_reason,
    )
