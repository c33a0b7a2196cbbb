"""Pairs and their life: proposed, approved, and then superseded, revoked or rejected."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select
from sqlalchemy.orm import Session

from storage import audit, pair_groups, pair_holds, question_bands
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.one_writer import one_at_a_time
from storage.pair_groups import question_key
from storage.pair_life import (
    STATES,
    approvals,
    approve,
    decide_conflict,
    erase,
    outdo,
    reject,
    revoke,
)
from storage.pair_records import (
    NewPair,
    Pair,
    PairChangeRefused,
    PairSource,
    get,
    load,
    may_be_in_a_snapshot,
)
from storage.tables import PairGroupRow, PairRow, PairSourceRow

__all__ = [
    "HELD_OUT_SHARE",
    "STATES",
    "NewPair",
    "Pair",
    "PairChangeRefused",
    "PairSource",
    "approvals",
    "approve",
    "decide_conflict",
    "erase",
    "get",
    "outdo",
    "reject",
    "revoke",
]

#: The share of groups that is kept for measuring and never trained on.
HELD_OUT_SHARE = 0.18

#: Who places the holds that a pair is proposed with.
_CHECKS = "checks"

#: Built once, and of the bare tables: thousands of pairs may come in one file.
_PAIR, _GROUP = PairRow.__table__.c, PairGroupRow.__table__.c
_OF_ORIGIN = select(_PAIR.id).where(_PAIR.origin_key == bindparam("origin_key"))
_STANDING = select(_GROUP.id).where(_GROUP.key == bindparam("key")).scalar_subquery()
_BESIDE = (
    select(_PAIR.id, _PAIR.output)
    .join_from(PairRow.__table__, PairGroupRow.__table__, _GROUP.id == _PAIR.group_id)
    .where(
        (_GROUP.id == _STANDING) | (_GROUP.merged_into_id == _STANDING),
        _PAIR.state == "approved",
        _PAIR.id != bindparam("pair_id"),
        _PAIR.audience == bindparam("audience"),
    )
    .order_by(_PAIR.id)
)
_QUESTIONS = (
    select(_PAIR.id, _PAIR.input)
    .where(_PAIR.id >= bindparam("pair_id"), _PAIR.erased_at.is_(None))
    .order_by(_PAIR.id)
)
_ERASED = select(func.count()).select_from(PairRow.__table__).where(_PAIR.erased_at.is_not(None))
_INSERT_SOURCES = insert(PairSourceRow.__table__)  # type: ignore[arg-type]


def propose(
    session: Session,
    pair: NewPair,
    held_out_share: float = HELD_OUT_SHARE,
    near: Collection[int] | None = None,
) -> Pair:
    """Store a pair as proposed, in the group of its question, with its sources and holds.

    The same `origin_key` a second time stores nothing and returns the pair that is there.

    Args:
        session: A writing transaction.
        pair: What is proposed.
        held_out_share: The wished share of groups that are kept for measuring.
        near: The stored pairs whose questions are the same in other words, when the caller
            knows (and has kept other writers out since, see `storage.one_writer`); left out, they
            are found by their words.
    """
    known = known_as(session, pair.origin_key)
    if known is not None:
        return get(session, known)
    if near is None:
        one_at_a_time(session)  # or two near-duplicates would not see each other
        near = question_bands.near_by_words(session, pair.input)
    belongs = pair_groups.assign(session, pair.input, near, held_out_share)
    created_at = (pair.created_at or utc_now()).astimezone(UTC)
    pair_id = insert_once(
        session,
        PairRow,
        input=pair.input,
        input_key=question_key(pair.input),
        output=pair.output,
        context=pair.context,
        language=pair.language,
        audience=pair.audience,
        state="proposed",
        author=pair.author,
        reason=pair.reason,
        place=pair.place,
        origin=pair.origin,
        origin_key=pair.origin_key,
        answer_id=pair.answer_id,
        asked_by=pair.asked_by,
        derived_from_id=pair.derived_from,
        group_id=belongs.group_id,
        set_aside=belongs.set_aside,
        created_at=created_at,
    )
    if pair_id is None:  # another process has just stored it
        known = known_as(session, pair.origin_key)
        assert known is not None
        return get(session, known)
    if pair.sources:
        session.connection().execute(
            _INSERT_SOURCES,
            [
                {"pair_id": pair_id, "uri": source.uri, "heading": source.heading}
                for source in pair.sources
            ],
        )
    question_bands.store(session, pair_id, pair.input)
    audit.record(
        session,
        pair.author,
        "pair.propose",
        f"pair {pair_id}",
        {
            "origin": pair.origin,
            "group": belongs.group_id,
            "audience": pair.audience,
            "answer": pair.answer_id,
            "is_set_aside": belongs.set_aside is not None,
        },
    )
    if pair.holds:
        pair_holds.place(session, pair_id, pair.holds, _CHECKS)
    return Pair(
        id=pair_id,
        input=pair.input,
        output=pair.output,
        context=pair.context,
        language=pair.language,
        audience=pair.audience,
        state="proposed",
        author=pair.author,
        reason=pair.reason,
        decided_by=None,
        origin=pair.origin,
        answer_id=pair.answer_id,
        split=belongs.split,
        group_key=belongs.key,
        sources=pair.sources,
        created_at=created_at,
        decided_at=None,
        holds=tuple(dict.fromkeys(pair.holds)),
        set_aside=belongs.set_aside,
        place=pair.place,
        asked_by=pair.asked_by,
    )


def known_as(session: Session, origin_key: str) -> int | None:
    """Return the pair of this origin, if it has been stored before."""
    found = _rows(session, _OF_ORIGIN, {"origin_key": origin_key}).first()
    return None if found is None else int(found[0])


def is_known(session: Session, origin_key: str) -> bool:
    """Whether a pair of this origin has been stored before."""
    return known_as(session, origin_key) is not None


def known_keys(session: Session, origin_keys: Collection[str]) -> frozenset[str]:
    """Return those of some origins whose pairs have been stored before."""
    keys, found = list(origin_keys), set[str]()
    for start in range(0, len(keys), 500):
        wanted = PairRow.origin_key.in_(keys[start : start + 500])
        found.update(session.scalars(select(PairRow.origin_key).where(wanted)))
    return frozenset(found)


def known_states(session: Session, origin_keys: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return number and state, by origin, of the pairs of some origins that are stored."""
    keys, found = list(origin_keys), dict[str, tuple[int, str]]()
    for start in range(0, len(keys), 500):
        wanted = select(_PAIR.origin_key, _PAIR.id, _PAIR.state)
        some = wanted.where(_PAIR.origin_key.in_(keys[start : start + 500]))
        found.update((key, (int(number), state)) for key, number, state in _rows(session, some))
    return found


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
    return load(session, PairRow.id.in_(list(session.scalars(wanted))))


def approved(session: Session, audience: str = "everyone") -> tuple[Pair, ...]:
    """Return all approved pairs of one audience, oldest first."""
    return load(session, PairRow.state == "approved", PairRow.audience == audience)


def for_snapshot(session: Session, audience: str = "everyone") -> tuple[Pair, ...]:
    """Return the pairs that may train or measure: approved, neither held nor set aside."""
    return load(session, *may_be_in_a_snapshot(audience))


def ids_for_snapshot(session: Session, audience: str = "everyone") -> frozenset[int]:
    """Return the ids of the pairs that may train or measure."""
    return frozenset(session.scalars(select(PairRow.id).where(*may_be_in_a_snapshot(audience))))


def approved_beside(session: Session, pair: Pair) -> tuple[Pair, ...]:
    """Return the approved pairs of the same group that the same people may see, oldest first."""
    standing = select(PairGroupRow.id).where(PairGroupRow.key == pair.group_key).scalar_subquery()
    members = select(PairGroupRow.id).where(
        (PairGroupRow.id == standing) | (PairGroupRow.merged_into_id == standing)
    )
    return load(
        session,
        PairRow.state == "approved",
        PairRow.id != pair.id,
        PairRow.audience == pair.audience,
        PairRow.group_id.in_(members),
    )


def approved_outputs_beside(session: Session, pair: Pair) -> tuple[tuple[int, str], ...]:
    """Return id and output of what `approved_beside` returns."""
    beside = {"key": pair.group_key, "pair_id": pair.id, "audience": pair.audience}
    rows = _rows(session, _BESIDE, beside)
    return tuple((int(pair_id), str(output)) for pair_id, output in rows)


def listed(session: Session, state: str | None = None, limit: int = 100) -> tuple[Pair, ...]:
    """Return the newest pairs, of one state or of all."""
    wanted = select(PairRow.id).order_by(PairRow.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(PairRow.state == state)
    return load(session, PairRow.id.in_(list(session.scalars(wanted))))[::-1]


def approved_answer(session: Session, question: str, audiences: Collection[str]) -> Pair | None:
    """Return the newest approved pair for exactly this question that these audiences may see."""
    found = load(
        session,
        PairRow.input_key == question_key(question),
        PairRow.state == "approved",
        PairRow.audience.in_(sorted(audiences)),
    )
    return found[-1] if found else None


def by_ids(session: Session, ids: Iterable[int]) -> tuple[Pair, ...]:
    """Return the pairs with these ids, oldest first."""
    return load(session, PairRow.id.in_(list(ids)))


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


def questions_from(session: Session, pair_id: int) -> tuple[tuple[int, str], ...]:
    """Return id and question of a pair and of those that came after it, but of erased ones."""
    rows = _rows(session, _QUESTIONS, {"pair_id": pair_id})
    return tuple((int(found), str(question)) for found, question in rows)


def count_erased(session: Session) -> int:
    """Return how many pairs were erased."""
    return int(_rows(session, _ERASED).scalar_one())


def _rows(session: Session, wanted: Select[Any], values: dict[str, Any] | None = None) -> Any:
    """Ask the database for columns, past what makes objects of rows: that takes longer than it."""
    session.flush()
    return session.connection().execute(wanted, values)
