"""Clearing a pair that was for some only: an expert says why everybody may know what it says."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storage import audit, pair_holds
from storage.pair_records import Pair, PairChangeRefused, get
from storage.tables import PairRow

EVERYONE = "everyone"


def clear(session: Session, pair_id: int, actor: str, reason: str) -> Pair:
    """Let everybody see a pair, and the common model learn from it.

    Who could see it before, and why that has changed, is kept with it as a hold that was released.

    Args:
        session: A writing transaction.
        pair_id: The pair.
        actor: The expert.
        reason: Why everybody may know it, in the expert's words.

    Raises:
        PairChangeRefused: there is no such pair, no reason, or it is for everyone already.
    """
    if not reason.strip():
        raise PairChangeRefused(
            f"Say why everybody may know pair {pair_id}; the reason is kept with it."
        )
    row = session.get(PairRow, pair_id, with_for_update=True)
    if row is None:
        raise PairChangeRefused(f"There is no pair {pair_id}. `skredder pairs list` shows them.")
    if row.erased_at is not None:
        raise PairChangeRefused(f"Pair {pair_id} was erased.")
    if row.audience == EVERYONE:
        raise PairChangeRefused(f"Pair {pair_id} is for everyone already.")
    before, row.audience = row.audience, EVERYONE
    for hold_id in pair_holds.place(session, pair_id, [f"It was for {before} only."], actor):
        pair_holds.let_go(session, hold_id, actor, reason)
    audit.record(session, actor, "pair.cleared", f"pair {pair_id}", {"was": before})
    session.flush()
    return get(session, pair_id)
