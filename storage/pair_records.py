"""A pair as it is proposed and as it is stored, and reading stored ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from storage.tables import PairGroupRow, PairHoldRow, PairRow, PairSourceRow

#: Values asked for in one query; SQLite takes some thousands.
_AT_ONCE = 500


class PairChangeRefused(Exception):
    """The pair does not exist, or cannot go from its state to the wished one."""


@dataclass(frozen=True)
class PairSource:
    """The section of a document that a pair's output rests on."""

    uri: str
    heading: str


@dataclass(frozen=True)
class NewPair:
    """A pair as it is proposed. `origin_key` is unique: proposing twice is proposing once.

    Attributes:
        holds: Reasons, in words, why it must not train before an expert releases it.
        place: The channel it comes from, if it comes from one.
        asked_by: Who asked, where there is no answer of the bot's to tell.
        derived_from: The pair whose words it was made of, if it was made of one.
    """

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
    holds: tuple[str, ...] = ()
    place: str | None = None
    asked_by: str | None = None
    derived_from: int | None = None


@dataclass(frozen=True)
class Pair:
    """A pair as it is stored.

    Attributes:
        split: The side its group of questions lies on, `train` or `held_out`.
        holds: The reasons, in words, that keep it from training now.
        set_aside: Why it is on neither side of the split for good, in words.
    """

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
    holds: tuple[str, ...] = ()
    set_aside: str | None = None
    place: str | None = None
    decision_reason: str | None = None
    superseded_by: int | None = None
    asked_by: str | None = None

    @property
    def is_held_out(self) -> bool:
        """Whether this pair is kept for measuring and must never train."""
        return self.split == "held_out"

    @property
    def is_usable(self) -> bool:
        """Whether it may be in a snapshot: approved, and neither held nor set aside."""
        return self.state == "approved" and not self.holds and self.set_aside is None


def is_open_hold() -> ColumnElement[bool]:
    """The condition that a hold has not been released."""
    return PairHoldRow.released_at.is_(None)


def may_be_in_a_snapshot(audience: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a pair trains or measures; those of `Pair.is_usable`."""
    held = select(PairHoldRow.pair_id).where(is_open_hold())
    return (
        PairRow.state == "approved",
        PairRow.audience == audience,
        PairRow.set_aside.is_(None),
        PairRow.id.not_in(held),
    )


def load(session: Session, *conditions: ColumnElement[bool]) -> tuple[Pair, ...]:
    """Return the pairs for which all conditions on `PairRow` hold, oldest first."""
    rows: Sequence[tuple[PairRow, str, str]] = [
        (row, split, key) for row, split, key in session.execute(_with_group().where(*conditions))
    ]
    ids = [row.id for row, _, _ in rows]
    sources, holds = _sources(session, ids), _holds(session, ids)
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
            holds=tuple(holds.get(row.id, ())),
            set_aside=row.set_aside,
            place=row.place,
            decision_reason=row.decision_reason,
            superseded_by=row.superseded_by_id,
            asked_by=row.asked_by,
        )
        for row, split, key in rows
    )


def get(session: Session, pair_id: int) -> Pair:
    """Return one pair. Raises `PairChangeRefused` when there is none with this id."""
    found = load(session, PairRow.id == pair_id)
    if not found:
        raise PairChangeRefused(f"There is no pair {pair_id}. `skredder pairs list` shows them.")
    return found[0]


@lru_cache(maxsize=1)
def _with_group() -> Select[PairRow, str, str]:
    """Pairs with the side and the key of the group that stands for theirs; built once."""
    own, standing = aliased(PairGroupRow), aliased(PairGroupRow)
    return (
        select(PairRow, standing.split, standing.key)
        .join(own, own.id == PairRow.group_id)
        .join(standing, standing.id == func.coalesce(own.merged_into_id, own.id))
        .order_by(PairRow.id)
    )


def _sources(session: Session, ids: Sequence[int]) -> dict[int, list[PairSource]]:
    found: dict[int, list[PairSource]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for source in session.scalars(
            select(PairSourceRow)
            .where(PairSourceRow.pair_id.in_(ids[start : start + _AT_ONCE]))
            .order_by(PairSourceRow.id)
        ):
            found.setdefault(source.pair_id, []).append(PairSource(source.uri, source.heading))
    return found


def _holds(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for pair_id, reason in session.execute(
            select(PairHoldRow.pair_id, PairHoldRow.reason)
            .where(PairHoldRow.pair_id.in_(ids[start : start + _AT_ONCE]), is_open_hold())
            .order_by(PairHoldRow.id)
        ):
            found.setdefault(pair_id, []).append(reason)
    return found
