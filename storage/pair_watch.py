"""What was proposed lately and what the company has written: what a new pair is held against."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, aliased

from storage.pair_groups import question_key
from storage.pair_records import is_open_hold
from storage.tables import DocumentRow, PairHoldRow, PairRow, PairSourceRow, PassageRow

#: How many texts that may hold a host are looked at.
_LOOKED_AT = 200


@dataclass(frozen=True)
class RecentPair:
    """A pair of the last while.

    Attributes:
        pages: The addresses of the pages it rests on.
        replaces: Whether it answers a question that an approved pair of somebody else answers
            or did when this one took its place.
    """

    author: str
    question: str
    pages: tuple[str, ...]
    replaces: bool


def proposed_since(
    session: Session, since: datetime, origins: Iterable[str] = ("slack",), limit: int = 2_000
) -> tuple[RecentPair, ...]:
    """Return the newest pairs of some origins that were proposed since a moment."""
    rows = session.scalars(
        select(PairRow)
        .where(
            PairRow.created_at >= since,
            PairRow.origin.in_(list(origins)),
            PairRow.erased_at.is_(None),
        )
        .order_by(PairRow.id.desc())
        .limit(limit)
    ).all()
    pages: dict[int, list[str]] = {}
    for start in range(0, len(rows), 500):
        ids = [row.id for row in rows[start : start + 500]]
        for pair_id, uri in session.execute(
            select(PairSourceRow.pair_id, PairSourceRow.uri).where(PairSourceRow.pair_id.in_(ids))
        ):
            pages.setdefault(pair_id, []).append(uri)
    taking = _taking_the_place_of_others(session, since)
    return tuple(
        RecentPair(row.author, row.input, tuple(pages.get(row.id, ())), row.id in taking)
        for row in rows
    )


def is_answered_by_others(session: Session, question: str, author: str) -> bool:
    """Whether somebody else's approved pair answers this question, word for word."""
    found = session.scalar(
        select(PairRow.id)
        .where(
            PairRow.input_key == question_key(question),
            PairRow.state == "approved",
            PairRow.author != author,
        )
        .limit(1)
    )
    return found is not None


def is_host_known(session: Session, host: str) -> bool:
    """Whether a host, or one below it, stands in what the company has written.

    That is a served page, its address, or the answer of a pair that may train.
    """
    wanted = f"%{_literally(host)}%"
    held = exists().where(PairHoldRow.pair_id == PairRow.id, is_open_hold())
    uri, link = DocumentRow.uri, DocumentRow.link
    served = DocumentRow.state == "indexed"
    places: tuple[Select[Any], ...] = (
        select(uri).where(served, uri.ilike(wanted, escape="\\")),
        select(link).where(served, link.ilike(wanted, escape="\\")),
        select(PassageRow.text).where(PassageRow.text.ilike(wanted, escape="\\")),
        select(PairRow.output).where(
            PairRow.state == "approved", ~held, PairRow.output.ilike(wanted, escape="\\")
        ),
    )
    # `ro.example` is part of `fjellro.example`, and not the same host.
    whole = re.compile(rf"(?<![\w-]){re.escape(host)}(?![\w-]|\.\w)", re.IGNORECASE)
    return any(
        whole.search(str(text)) is not None
        for place in places
        for text in session.scalars(place.limit(_LOOKED_AT))
    )


def approved_outputs(session: Session, limit: int = 300) -> tuple[str, ...]:
    """Return the newest answers that experts approved for everyone and that nothing holds."""
    held = exists().where(PairHoldRow.pair_id == PairRow.id, is_open_hold())
    return tuple(
        session.scalars(
            select(PairRow.output)
            .where(PairRow.state == "approved", PairRow.audience == "everyone", ~held)
            .order_by(PairRow.id.desc())
            .limit(limit)
        )
    )


def ids_in_use(session: Session) -> tuple[int, ...]:
    """Return the pairs that are approved or may be yet, oldest first."""
    wanted = select(PairRow.id).where(PairRow.state.in_(("proposed", "approved")))
    return tuple(session.scalars(wanted.order_by(PairRow.id)))


def reasons_ever(session: Session, pair_id: int) -> frozenset[str]:
    """Return the reasons for which a pair is or was held, released ones too."""
    return frozenset(
        session.scalars(select(PairHoldRow.reason).where(PairHoldRow.pair_id == pair_id))
    )


def _taking_the_place_of_others(session: Session, since: datetime) -> frozenset[int]:
    """The pairs since a moment that took the place of somebody else's."""
    older = aliased(PairRow)
    return frozenset(
        session.scalars(
            select(PairRow.id)
            .join(older, older.superseded_by_id == PairRow.id)
            .where(PairRow.created_at >= since, older.author != PairRow.author)
        )
    )


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
