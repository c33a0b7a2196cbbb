"""What may become of a pair: approved, superseded, revoked, rejected, reinstated, erased."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import bindparam, func, select, union_all
from sqlalchemy.orm import Session

from storage import audit, pair_conflicts, question_bands
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.pair_records import Pair, PairChangeRefused, get
from storage.tables import PairApprovalRow, PairConflictRow, PairHoldRow, PairRow

STATES = ("proposed", "approved", "rejected", "revoked", "superseded")

#: What stands where a person's words or name stood.
ERASED = "erased"

#: From which state a pair can come to another.
_ALLOWED = {
    "approved": ("proposed",),
    "reinstated": ("superseded",),
    "rejected": ("proposed",),
    "revoked": ("approved",),
    "superseded": ("approved",),
}


#: The approved pairs that give way to one: for the same question, or found wrong beside it.
_OUTDONE = union_all(
    select(PairRow.id).where(
        PairRow.input_key == bindparam("input_key"),
        PairRow.audience == bindparam("audience"),
        PairRow.state == "approved",
        PairRow.id != bindparam("pair_id"),
    ),
    select(PairConflictRow.older_id)
    .join(PairRow, PairRow.id == PairConflictRow.older_id)
    .where(
        PairConflictRow.newer_id == bindparam("pair_id"),
        PairConflictRow.outcome == "newer",
        PairRow.state == "approved",
    ),
)
_LOCKED = select(PairRow).where(PairRow.id == bindparam("pair_id")).with_for_update()


def approve(session: Session, pair: int | Pair, actor: str, needed: int = 1) -> Pair:
    """Say yes to a proposed pair; with enough different people's yes it is approved.

    An approved pair for the same question and audience is then superseded by it, and so is one
    that experts found wrong beside it. Saying yes to an approved pair changes nothing.

    Args:
        session: A writing transaction.
        pair: The pair's number, or the pair itself as this transaction has just seen it.
        actor: Who says yes.
        needed: How many people must.

    Raises:
        PairChangeRefused: the pair is neither proposed nor approved.
    """
    pair_id = pair if isinstance(pair, int) else pair.id
    row = _locked(session, pair_id)
    if row.state == "approved":
        return get(session, pair_id)
    _refuse_unless_allowed(row, "approved")
    made = insert_once(
        session, PairApprovalRow, pair_id=pair_id, actor=actor, approved_at=utc_now()
    )
    if needed > 1 and approvals(session, pair_id) < needed:
        if made is not None:
            audit.record(session, actor, "pair.yes", f"pair {pair_id}", {"of": needed})
        return get(session, pair_id)
    for older_id in _outdone_by(session, row):
        _move(session, older_id, "superseded", actor, by=pair_id)
    _move_row(session, row, "approved", actor)
    if isinstance(pair, int):
        return get(session, pair_id)
    return replace(
        pair,
        state=row.state,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        superseded_by=row.superseded_by_id,
    )


def approvals(session: Session, pair_id: int) -> int:
    """Return how many people have said yes to a pair."""
    return int(
        session.scalars(
            select(func.count())
            .select_from(PairApprovalRow)
            .where(PairApprovalRow.pair_id == pair_id)
        ).one()
    )


def outdo(session: Session, pair_id: int, actor: str) -> tuple[int, ...]:
    """Let the approved pairs give way that `approve` would have, had it been for these people then.

    Returns:
        The ids of the pairs that are superseded now; none where this one is not approved.
    """
    row = _locked(session, pair_id)
    outdone = _outdone_by(session, row) if row.state == "approved" else []
    for older_id in outdone:
        _move(session, older_id, "superseded", actor, by=pair_id)
    return tuple(outdone)


def reject(session: Session, pair_id: int, actor: str, reason: str | None = None) -> Pair:
    """Turn a proposed pair down. Raises `PairChangeRefused` when it is not proposed."""
    changed = _move(session, pair_id, "rejected", actor, reason=reason)
    pair_conflicts.settle_without(session, pair_id)
    return changed


def revoke(session: Session, pair_id: int, actor: str, reason: str | None = None) -> Pair:
    """Take an approved pair back. Raises `PairChangeRefused` when it is not approved."""
    changed = _move(session, pair_id, "revoked", actor, reason=reason)
    pair_conflicts.settle_without(session, pair_id)
    return changed


def decide_conflict(
    session: Session, conflict_id: int, keep: str, actor: str, reason: str
) -> pair_conflicts.Conflict:
    """Decide which of two pairs that contradict each other is right.

    Args:
        session: A writing transaction.
        conflict_id: The conflict.
        keep: `older`, `newer`, or `both` when they do not exclude each other after all.
        actor: The expert.
        reason: Why, in the expert's words.

    Raises:
        PairChangeRefused: it is decided already, or no reason was given.
    """
    conflict = pair_conflicts.close(session, conflict_id, keep, actor, reason)
    older, newer = get(session, conflict.older_id), get(session, conflict.newer_id)
    if keep == "older":
        if newer.state in ("approved", "proposed"):
            state = "revoked" if newer.state == "approved" else "rejected"
            _move(session, newer.id, state, actor, reason=reason)
            pair_conflicts.settle_without(session, newer.id)
        gave_way = older.state == "superseded" and older.superseded_by == newer.id
        if gave_way and newer.state == "approved":
            _move(session, older.id, "reinstated", actor, reason=reason)
    elif keep == "newer" and newer.state == "approved" and older.state == "approved":
        _move(session, older.id, "superseded", actor, by=newer.id, reason=reason)
    return conflict


def erase(session: Session, pair_id: int, actor: str) -> Pair:
    """Take every text of a pair out, and the pair out of use; its number and its counts stay.

    An approved pair is revoked by it, a proposed one rejected. What the approved pair was used
    for before (`storage.snapshots`) is still known by its number.
    """
    row = _locked(session, pair_id)
    if row.erased_at is not None:
        return get(session, pair_id)
    if row.state in ("approved", "proposed"):
        _move(session, pair_id, "revoked" if row.state == "approved" else "rejected", actor)
        pair_conflicts.settle_without(session, pair_id)
    row.input = row.input_key = row.output = ""
    row.context = row.reason = row.decision_reason = row.review_reason = None
    row.author, row.asked_by, row.erased_at = ERASED, None, utc_now()
    question_bands.forget(session, pair_id)
    for hold in session.scalars(select(PairHoldRow).where(PairHoldRow.pair_id == pair_id)):
        hold.reason = ERASED
        hold.release_reason = ERASED if hold.release_reason else None
    for conflict in session.scalars(
        select(PairConflictRow).where(
            (PairConflictRow.older_id == pair_id) | (PairConflictRow.newer_id == pair_id)
        )
    ):
        conflict.disagreement = ERASED
        conflict.decision_reason = ERASED if conflict.decision_reason else None
    audit.record(session, actor, "pair.erased", f"pair {pair_id}", {})
    session.flush()
    return get(session, pair_id)


def _locked(session: Session, pair_id: int) -> PairRow:
    row = session.scalar(_LOCKED, {"pair_id": pair_id})
    if row is None:
        raise PairChangeRefused(f"There is no pair {pair_id}. `skredder pairs list` shows them.")
    return row


def _refuse_unless_allowed(row: PairRow, move: str) -> None:
    if row.state not in _ALLOWED[move]:
        raise PairChangeRefused(
            f"Pair {row.id} is {row.state} and cannot be {move}: "
            f"only a pair that is {' or '.join(_ALLOWED[move])} can."
        )


def _outdone_by(session: Session, pair: PairRow) -> list[int]:
    """The approved pairs that give way when `pair` is approved."""
    found = session.scalars(
        _OUTDONE, {"input_key": pair.input_key, "audience": pair.audience, "pair_id": pair.id}
    )
    return sorted(set(found))


def _move(
    session: Session,
    pair_id: int,
    move: str,
    actor: str,
    *,
    by: int | None = None,
    reason: str | None = None,
) -> Pair:
    _move_row(session, _locked(session, pair_id), move, actor, by=by, reason=reason)
    return get(session, pair_id)


def _move_row(
    session: Session,
    row: PairRow,
    move: str,
    actor: str,
    *,
    by: int | None = None,
    reason: str | None = None,
) -> None:
    _refuse_unless_allowed(row, move)
    before, row.state = row.state, "approved" if move == "reinstated" else move
    row.decided_by, row.decided_at, row.decision_reason = actor, utc_now(), reason
    row.superseded_by_id = by
    details: dict[str, str | int] = {"was": before}
    if by is not None:
        details["by"] = by
    audit.record(session, actor, f"pair.{move}", f"pair {row.id}", details)
    session.flush()
