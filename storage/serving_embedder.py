"""Which embedder's vectors serve. The index is derived, but only SQL says which of it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.tables import ServingEmbedderRow

_ID = 1


@dataclass(frozen=True)
class ServingEmbedder:
    """An embedder whose vectors are complete.

    Attributes:
        named: As the settings name it.
        space: The name of its vector space.
        changed_at: Since when it serves.
    """

    named: str
    space: str
    changed_at: datetime


def get(session: Session) -> ServingEmbedder | None:
    """Return what serves; None while nothing was ever indexed."""
    row = session.get(ServingEmbedderRow, _ID)
    return None if row is None else ServingEmbedder(row.named, row.space, row.changed_at)


def change(session: Session, named: str, space: str) -> None:
    """Let another embedder's vectors serve; saying the same again changes nothing."""
    row = session.get(ServingEmbedderRow, _ID)
    if row is None:
        session.add(ServingEmbedderRow(id=_ID, named=named, space=space, changed_at=utc_now()))
    elif (row.named, row.space) != (named, space):
        row.named, row.space, row.changed_at = named, space, utc_now()
