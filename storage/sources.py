"""Sources: the places that documents come from, registered once and then kept in step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.orm import Session

from storage import audit
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import AnswerSourceRow, DocumentRow, PassageRow, SourceRow

#: What is left of a passage's text in stored answers when its source was removed.
REMOVED_TEXT = "(removed)"


@dataclass(frozen=True)
class Source:
    """A folder, file, website, repository or export, and who may see its documents.

    Attributes:
        location: Where it is, as it was given.
        synced_at: When it was last gone through to its end.
        report: What that brought, as the sync told it.
        is_leaving: Whether it is being removed; nothing of it is served any more.
    """

    id: int
    location: str
    audience: str
    synced_at: datetime | None
    report: Mapping[str, Any] | None
    is_leaving: bool


def register(session: Session, location: str, audience: str) -> Source:
    """Return the source for this place and audience, stored now if it is new."""
    insert_once(
        session,
        SourceRow,
        location=location,
        audience=audience,
        created_at=utc_now(),
        is_leaving=False,
    )
    row = session.scalars(
        select(SourceRow).where(SourceRow.location == location, SourceRow.audience == audience)
    ).one()
    return _source(row)


def listed(session: Session) -> tuple[Source, ...]:
    """Return all sources, in the order in which they were registered."""
    return tuple(_source(row) for row in session.scalars(select(SourceRow).order_by(SourceRow.id)))


def by_location(session: Session, location: str, audience: str | None = None) -> tuple[Source, ...]:
    """Return the sources at a place, for one audience or for each."""
    found = select(SourceRow).where(SourceRow.location == location).order_by(SourceRow.id)
    if audience is not None:
        found = found.where(SourceRow.audience == audience)
    return tuple(_source(row) for row in session.scalars(found))


def mark_synced(session: Session, source_id: int, report: Mapping[str, Any]) -> None:
    """Note that a source has just been gone through to its end, and what that brought."""
    row = session.get_one(SourceRow, source_id)
    row.synced_at, row.report = utc_now(), dict(report)


def count_documents(session: Session) -> dict[int, int]:
    """Return how many documents of each source are served."""
    counted = session.execute(
        select(DocumentRow.source_id, func.count())
        .where(DocumentRow.state == "indexed")
        .group_by(DocumentRow.source_id)
    )
    return {int(source_id): int(count) for source_id, count in counted}


def begin_removal(session: Session, source_id: int, actor: str) -> int:
    """Stop serving everything of a source, at once.

    The source stays marked as leaving until the indexes are rid of it and `finish_removal` is
    called.

    Returns:
        How many passages it has.
    """
    row = session.scalars(
        select(SourceRow).where(SourceRow.id == source_id).with_for_update()
    ).one()
    if not row.is_leaving:
        row.is_leaving = True
        audit.record(
            session,
            actor,
            "source.remove",
            f"source {source_id}",
            {"location": row.location, "audience": row.audience},
        )
    session.execute(
        update(DocumentRow)
        .where(DocumentRow.source_id == source_id)
        .values(state="deleted", content_hash="")
    )
    passages = select(func.count()).select_from(_passages_of(source_id).subquery())
    return int(session.scalars(passages).one())


def finish_removal(session: Session, source_id: int) -> None:
    """Delete a leaving source, its documents and passages, and their words in stored answers."""
    quoted = exists().where(
        DocumentRow.source_id == source_id,
        DocumentRow.uri == AnswerSourceRow.uri,
        DocumentRow.audience == AnswerSourceRow.audience,
    )
    session.execute(
        update(AnswerSourceRow)
        .where(quoted)
        .values(text=REMOVED_TEXT)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(PassageRow).where(PassageRow.id.in_(_passages_of(source_id))))
    session.execute(delete(DocumentRow).where(DocumentRow.source_id == source_id))
    session.execute(delete(SourceRow).where(SourceRow.id == source_id))


def leaving(session: Session) -> tuple[Source, ...]:
    """Return the sources whose removal was begun and not finished."""
    return tuple(_source(row) for row in session.scalars(select(SourceRow).where(_IS_LEAVING)))


_IS_LEAVING = SourceRow.is_leaving.is_(True)


def _passages_of(source_id: int) -> Select[str]:
    return (
        select(PassageRow.id)
        .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
        .where(DocumentRow.source_id == source_id)
    )


def _source(row: SourceRow) -> Source:
    return Source(row.id, row.location, row.audience, row.synced_at, row.report, row.is_leaving)
