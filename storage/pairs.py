"""Pairs and their life: proposed, approved, and then superseded, revoked or rejected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage import audit, pair_groups
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.pair_groups import question_key
from storage.tables import PairGroupRow, PairRow, PairSourceRow

#: The share of groups that is kept for measuring and never trained on.
HELD_OUT_SHARE = 0.18

STATES = ("proposed", "approved", "rejected", "revoked", "superseded")

_ALLOWED = {
    "approved": ("proposed",),
    "rejected": ("proposed",),
    "revoked": ("approved",),
    "superseded": ("approved",),
}


class PairChangeRefused(Exception):
    """The pair does not exist, or cannot go from its state to the wished one."""


@dataclass(frozen=True)
class PairSource:
    """The section of a document that a pair's output rests on."""

    uri: str
    heading: str


@dataclass(frozen=True)
class NewPair:
    """A pair as it is proposed. `origin_key` is unique: proposing twice is proposing once."""

    input: str
    output: str
    author: str
    origin: str
    origin_key: str
    language: str = "en"
    audience: str = "everyone"
    context: str | None = None
    reason: str | None = None
    answer_id: int | None = None
    sources: tuple[PairSource, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True)
class Pair:
    """A pair as it is stored."""

    id: int
    input: str
    output: str
    context: str | None
    language: str
    audience: str
    state: str
    author: str
    reason: str | None
    decided_by: str | None
    origin: str
    answer_id: int | None
    split: str
    group_key: str
    sources: tuple[PairSource, ...]
    created_at: datetime
    decided_at: datetime | None
    review_since: datetime | None = None
    review_reason: str | None = None

    @property
    def is_held_out(self) -> bool:
        """Whether this pair is kept for measuring and must never train."""
        return self.split == "held_out"


def propose(session: Session, pair: NewPair, held_out_share: float = HELD_OUT_SHARE) -> Pair:
    """Store a pair as proposed, in the group of its question, with its sources.

    The same `origin_key` a second time stores nothing and returns the pair that is there.
    """
    values = {
        "input": pair.input,
        "input_key": question_key(pair.input),
        "output": pair.output,
        "context": pair.context,
        "language": pair.language,
        "audience": pair.audience,
        "state": "proposed",
        "author": pair.author,
        "reason": pair.reason,
        "origin": pair.origin,
        "origin_key": pair.origin_key,
        "answer_id": pair.answer_id,
        "created_at": pair.created_at or utc_now(),
    }
    known = session.scalar(select(PairRow.id).where(PairRow.origin_key == pair.origin_key))
    if known is not None:
        return get(session, known)
    values["group_id"] = pair_groups.assign(session, pair.input, held_out_share)
    pair_id = insert_once(session, PairRow, **values)
    if pair_id is None:
        known = session.scalars(
            select(PairRow.id).where(PairRow.origin_key == pair.origin_key)
        ).one()
        return get(session, known)
    session.add_all(
        PairSourceRow(pair_id=pair_id, uri=source.uri, heading=source.heading)
        for source in pair.sources
    )
    audit.record(session, pair.author, "pair.propose", f"pair {pair_id}", {"origin": pair.origin})
    session.flush()
    return get(session, pair_id)


def is_known(session: Session, origin_key: str) -> bool:
    """Whether a pair of this origin has been stored before."""
    known = session.scalar(select(PairRow.id).where(PairRow.origin_key == origin_key))
    return known is not None


def approve(session: Session, pair_id: int, actor: str) -> Pair:
    """Approve a proposed pair; an approved pair for the same question is superseded by it.

    Approving an approved pair again changes nothing. Raises `PairChangeRefused` otherwise.
    """
    pair = get(session, pair_id)
    if pair.state == "approved":
        return pair
    older = session.scalars(
        select(PairRow.id).where(
            PairRow.input_key == question_key(pair.input),
            PairRow.audience == pair.audience,
            PairRow.state == "approved",
            PairRow.id != pair_id,
        )
    ).all()
    for older_id in older:
        _change(session, older_id, "superseded", actor, {"by": pair_id})
    return _change(session, pair_id, "approved", actor)


def reject(session: Session, pair_id: int, actor: str) -> Pair:
    """Turn a proposed pair down. Raises `PairChangeRefused` when it is not proposed."""
    return _change(session, pair_id, "rejected", actor)


def revoke(session: Session, pair_id: int, actor: str) -> Pair:
    """Take an approved pair back. Raises `PairChangeRefused` when it is not approved."""
    return _change(session, pair_id, "revoked", actor)


def ask_for_review(
    session: Session, uri: str, changed: Collection[str] | None, reason: str
) -> tuple[int, ...]:
    """Mark the approved pairs that rest on a page whose text is not what it was.

    They are answered with as before, and say that they are being looked at again.

    Args:
        session: The transaction in which the page changes.
        uri: The page's address.
        changed: The headings whose text changed or went; None means the whole page.
        reason: What happened, in words for the expert.

    Returns:
        The ids of the pairs that were marked now.
    """
    resting = select(PairSourceRow.pair_id).where(PairSourceRow.uri == uri)
    if changed is not None:
        resting = resting.where(PairSourceRow.heading.in_(sorted(changed)))
    rows = session.scalars(
        select(PairRow).where(
            PairRow.id.in_(resting), PairRow.state == "approved", PairRow.review_since.is_(None)
        )
    ).all()
    for row in rows:
        row.review_since, row.review_reason = utc_now(), reason
        audit.record(session, "sync", "pair.review", f"pair {row.id}", {"reason": reason})
    return tuple(row.id for row in rows)


def confirm(session: Session, pair_id: int, actor: str) -> Pair:
    """Say that a pair marked for review is still right. Raises `PairChangeRefused`."""
    row = session.scalar(select(PairRow).where(PairRow.id == pair_id).with_for_update())
    if row is None or row.state != "approved" or row.review_since is None:
        raise PairChangeRefused(f"Pair {pair_id} does not wait for a review.")
    row.review_since = row.review_reason = None
    audit.record(session, actor, "pair.confirm", f"pair {pair_id}", {})
    session.flush()
    return get(session, pair_id)


def to_review(session: Session, limit: int = 100) -> tuple[Pair, ...]:
    """Return the approved pairs that wait for a review, oldest first."""
    wanted = (
        select(PairRow.id)
        .where(PairRow.state == "approved", PairRow.review_since.is_not(None))
        .order_by(PairRow.review_since)
        .limit(limit)
    )
    return _load(session, PairRow.id.in_(list(session.scalars(wanted))))


def get(session: Session, pair_id: int) -> Pair:
    """Return one pair. Raises `PairChangeRefused` when there is none with this id."""
    found = _load(session, PairRow.id == pair_id)
    if not found:
        raise PairChangeRefused(f"There is no pair {pair_id}. `skredder pairs list` shows them.")
    return found[0]


def approved(session: Session, audience: str = "everyone") -> tuple[Pair, ...]:
    """Return all approved pairs of one audience, oldest first."""
    return _load(session, PairRow.state == "approved", PairRow.audience == audience)


def listed(session: Session, state: str | None = None, limit: int = 100) -> tuple[Pair, ...]:
    """Return the newest pairs, of one state or of all."""
    wanted = select(PairRow.id).order_by(PairRow.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(PairRow.state == state)
    return _load(session, PairRow.id.in_(list(session.scalars(wanted))))[::-1]


def approved_answer(session: Session, question: str, audiences: Collection[str]) -> Pair | None:
    """Return the newest approved pair for exactly this question that these audiences may see."""
    found = _load(
        session,
        PairRow.input_key == question_key(question),
        PairRow.state == "approved",
        PairRow.audience.in_(sorted(audiences)),
    )
    return found[-1] if found else None


def by_ids(session: Session, ids: Iterable[int]) -> tuple[Pair, ...]:
    """Return the pairs with these ids, oldest first."""
    return _load(session, PairRow.id.in_(list(ids)))


def ids_approved(session: Session, audience: str = "everyone") -> frozenset[int]:
    """Return the ids of all approved pairs of an audience."""
    return frozenset(
        session.scalars(
            select(PairRow.id).where(PairRow.state == "approved", PairRow.audience == audience)
        )
    )


def approved_questions(session: Session) -> tuple[tuple[int, str, str], ...]:
    """Return id, question and audience of every approved pair, whoever may see it."""
    rows = session.execute(
        select(PairRow.id, PairRow.input, PairRow.audience)
        .where(PairRow.state == "approved")
        .order_by(PairRow.id)
    )
    return tuple((int(row[0]), str(row[1]), str(row[2])) for row in rows)


def count_approved(session: Session, audience: str = "everyone") -> int:
    """Return how many approved pairs an audience has."""
    return int(
        session.scalars(
            select(func.count())
            .select_from(PairRow)
            .where(PairRow.state == "approved", PairRow.audience == audience)
        ).one()
    )


def count_by_state(session: Session) -> dict[str, int]:
    """Return how many pairs there are in each state."""
    counted = session.execute(select(PairRow.state, func.count()).group_by(PairRow.state)).all()
    return dict.fromkeys(STATES, 0) | {state: int(count) for state, count in counted}


def _change(
    session: Session,
    pair_id: int,
    state: str,
    actor: str,
    details: dict[str, int] | None = None,
) -> Pair:
    row = session.scalar(select(PairRow).where(PairRow.id == pair_id).with_for_update())
    if row is None:
        raise PairChangeRefused(f"There is no pair {pair_id}. `skredder pairs list` shows them.")
    if row.state not in _ALLOWED[state]:
        raise PairChangeRefused(
            f"Pair {pair_id} is {row.state} and cannot be {state}: "
            f"only a pair that is {' or '.join(_ALLOWED[state])} can."
        )
    before, row.state = row.state, state
    row.decided_by, row.decided_at = actor, utc_now()
    audit.record(
        session, actor, f"pair.{state}", f"pair {pair_id}", {"was": before} | (details or {})
    )
    session.flush()
    return get(session, pair_id)


def _load(session: Session, *conditions: object) -> tuple[Pair, ...]:
    rows: Sequence[tuple[PairRow, str, str]] = [
        (row, split, key)
        for row, split, key in session.execute(
            select(PairRow, PairGroupRow.split, PairGroupRow.key)
            .join(PairGroupRow, PairGroupRow.id == PairRow.group_id)
            .where(*conditions)  # type: ignore[arg-type]
            .order_by(PairRow.id)
        )
    ]
    sources: dict[int, list[PairSource]] = {}
    ids = [row.id for row, _, _ in rows]
    for start in range(0, len(ids), 500):
        for source in session.scalars(
            select(PairSourceRow)
            .where(PairSourceRow.pair_id.in_(ids[start : start + 500]))
            .order_by(PairSourceRow.id)
        ):
            sources.setdefault(source.pair_id, []).append(PairSource(source.uri, source.heading))
    return tuple(
        Pair(
            id=row.id,
            input=row.input,
            output=row.output,
            context=row.context,
            language=row.language,
            audience=row.audience,
            state=row.state,
            author=row.author,
            reason=row.reason,
            decided_by=row.decided_by,
            origin=row.origin,
            answer_id=row.answer_id,
            split=split,
            group_key=key,
            sources=tuple(sources.get(row.id, ())),
            created_at=row.created_at,
            decided_at=row.decided_at,
            review_since=row.review_since,
            review_reason=row.review_reason,
        )
        for row, split, key in rows
    )
