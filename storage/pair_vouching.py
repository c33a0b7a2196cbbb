"""Vouching: who stands for a pair lets it train although something was found."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import audit, pair_holds, pair_watch
from storage.pair_records import Pair, PairChangeRefused, get, is_open_hold
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


def say_not_personal(
    session: Session,
    pair_id: int,
    reasons: Collection[str],
    *,
    kinds: Collection[str],
    actor: str,
    why: str,
) -> Pair:
    """Let a pair train in which something was found that is not personal after all.

    What was found, who says so and why stay with the pair, and in the audit log.

    Args:
        session: A writing transaction.
        pair_id: The pair.
        reasons: What was found in it, as it is held for or would be.
        kinds: What kinds of things those are, for the audit log, which must not have them itself.
        actor: Who says so.
        why: Why everybody may know it.

    Raises:
        PairChangeRefused: there is no such pair, or no reason was given.
    """
    if not why.strip():
        raise PairChangeRefused(
            f"Say why what is found in pair {pair_id} is not personal; the reason is kept with it."
        )
    known = pair_watch.reasons_ever(session, pair_id)
    pair_holds.place(session, pair_id, [each for each in reasons if each not in known], actor)
    details = {"found": list(kinds), "reason": why}
    audit.record(session, actor, "pair.not_personal", f"pair {pair_id}", details)
    return vouch(session, pair_id, reasons, actor, why)
