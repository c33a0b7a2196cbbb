"""Vouching: who stands for a pair's quality lets it train although something was found."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import pair_holds
from storage.pair_records import Pair, get, is_open_hold
from storage.tables import PairHoldRow


def vouch(session: Session, pair_id: int, reasons: Collection[str], actor: str, why: str) -> Pair:
    """Release the holds of a pair that are there for these reasons, and no other.

    Conflicts stay open whoever vouches: experts decide them, both answers side by side. What was
    found, who vouched and why stay with the pair.

    Args:
        session: A writing transaction.
        pair_id: The pair.
        reasons: The reasons, as they were placed.
        actor: Who vouches.
        why: Why the pair may train all the same.

    Raises:
        PairChangeRefused: there is no such pair.
    """
    wanted = select(PairHoldRow.id).where(
        PairHoldRow.pair_id == pair_id, PairHoldRow.reason.in_(list(reasons)), is_open_hold()
    )
    disputed = pair_holds.of_open_conflicts(session, pair_id)
    for hold_id in session.scalars(wanted).all():
        if hold_id in disputed:
            continue
        pair_holds.let_go(session, hold_id, actor, why)
    session.flush()
    return get(session, pair_id)
