"""Holds: reasons why a pair must not train, until an expert says why it may."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import audit
from storage.clock import utc_now
from storage.pair_records import PairChangeRefused, is_open_hold
from storage.tables import PairConflictRow, PairHoldRow


def place(session: Session, pair_id: int, reasons: Iterable[str], actor: str) -> tuple[int, ...]:
    """Hold a pair for each of the reasons that does not hold it already.

    Args:
        session: A writing transaction.
        pair_id: The pair.
        reasons: In words, each one sentence for the expert who looks at the pair.
        actor: Who or what found them.

    Returns:
        The ids of the new holds.
    """
    known = set(
        session.scalars(
            select(PairHoldRow.reason).where(PairHoldRow.pair_id == pair_id, is_open_hold())
        )
    )
    placed = []
    for reason in dict.fromkeys(reasons):
        if reason in known:
            continue
        row = PairHoldRow(pair_id=pair_id, reason=reason, placed_by=actor, placed_at=utc_now())
        session.add(row)
        session.flush()
        audit.record(session, actor, "pair.hold", f"pair {pair_id}", {"hold": row.id})
        placed.append(row.id)
    return tuple(placed)


def of_open_conflicts(session: Session, pair_id: int) -> frozenset[int]:
    """Return the holds of a pair that only the decision of a conflict ends."""
    found = select(PairConflictRow.hold_id).where(
        PairConflictRow.newer_id == pair_id, PairConflictRow.outcome.is_(None)
    )
    return frozenset(hold_id for hold_id in session.scalars(found) if hold_id is not None)


def release(session: Session, pair_id: int, actor: str, reason: str) -> int:
    """Release a pair from all its holds, but for those of conflicts, which are decided instead.

    Args:
        session: A writing transaction.
        pair_id: The pair.
        actor: The expert.
        reason: Why the pair may train, in the expert's words.

    Returns:
        How many holds were released.

    Raises:
        PairChangeRefused: no reason was given, or there is nothing that can be released.
    """
    if not reason.strip():
        raise PairChangeRefused(f"Say why pair {pair_id} may train; the reason is kept with it.")
    open_ids = session.scalars(
        select(PairHoldRow.id).where(PairHoldRow.pair_id == pair_id, is_open_hold())
    ).all()
    disputed = of_open_conflicts(session, pair_id)
    free = [hold_id for hold_id in open_ids if hold_id not in disputed]
    if not free and disputed:
        raise PairChangeRefused(
            f"Pair {pair_id} contradicts an approved one. Decide which is right: "
            "`skredder pairs conflicts` shows them side by side."
        )
    if not free:
        raise PairChangeRefused(f"Nothing holds pair {pair_id}.")
    for hold_id in free:
        let_go(session, hold_id, actor, reason)
    return len(free)


def let_go(session: Session, hold_id: int, actor: str, reason: str) -> None:
    """Release one hold, whatever it is for."""
    row = session.get_one(PairHoldRow, hold_id, with_for_update=True)
    if row.released_at is not None:
        return
    row.released_by, row.released_at, row.release_reason = actor, utc_now(), reason
    audit.record(session, actor, "pair.release", f"pair {row.pair_id}", {"hold": hold_id})
