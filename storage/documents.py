"""Documents and passages: what is served, what is being written, and who may see it.

A document's text is written as a new version beside the one that is served. Its passages stay
unserved until `serve_version` flips to them, so a failure in between never loses a page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, inspect, or_, select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.sources import Source
from storage.tables import DocumentRow, PassageRow

#: How many ids go into one statement; databases limit the number of parameters.
IDS_PER_STATEMENT = 500


@dataclass(frozen=True)
class Document:
    """A document as it is stored. Version 0 means that no version was ever served."""

    id: int
    source_id: int
    uri: str
    title: str
    audience: str
    content_hash: str
    version: int
    state: str

    @property
    def is_served(self) -> bool:
        """Whether questions may be answered from this document."""
        return self.state == "indexed"


@dataclass(frozen=True)
class PassageText:
    """A passage before it is stored: its breadcrumb (`Leave > Parental leave`) and its text."""

    breadcrumb: str
    text: str


@dataclass(frozen=True)
class DocumentText:
    """All that one version of a document says."""

    title: str
    language: str
    content_hash: str
    passages: tuple[PassageText, ...]
    owner: str | None = None
    updated_at: datetime | None = None
    reviewed_until: datetime | None = None
    link: str | None = None


@dataclass(frozen=True)
class StoredPassage:
    """A passage with what must be known of its document to show it."""

    id: str
    document_id: int
    version: int
    ordinal: int
    breadcrumb: str
    text: str
    uri: str
    title: str
    audience: str
    language: str
    updated_at: datetime | None
    reviewed_until: datetime | None
    link: str | None = None

    @property
    def heading(self) -> str:
        """The innermost heading the passage stands under."""
        return self.breadcrumb.rsplit(" > ", 1)[-1]


@dataclass(frozen=True)
class UnservedPassage:
    """A passage of a version that is not, or no longer, served."""

    id: str
    audience: str


def passage_id(document_id: int, version: int, ordinal: int, text: str) -> str:
    """Return the id of a passage: the same place with the same text has the same id."""
    identity = f"{document_id}\n{version}\n{ordinal}\n{text}"
    return hashlib.sha256(identity.encode(errors="replace")).hexdigest()[:32]


def documents_of(session: Session, source_id: int) -> tuple[Document, ...]:
    """Return the documents of a source by address, those deleted and unfinished among them."""
    rows = session.scalars(
        select(DocumentRow).where(DocumentRow.source_id == source_id).order_by(DocumentRow.uri)
    )
    return tuple(
        Document(
            id=row.id,
            source_id=row.source_id,
            uri=row.uri,
            title=row.title,
            audience=row.audience,
            content_hash=row.content_hash,
            version=row.version,
            state=row.state,
        )
        for row in rows
    )


def write_version(
    session: Session, source: Source, uri: str, text: DocumentText
) -> tuple[StoredPassage, ...]:
    """Write a new version of a document beside the served one, and return its passages.

    Nothing of it is served before `serve_version`.
    """
    insert_once(
        session,
        DocumentRow,
        source_id=source.id,
        uri=uri,
        title=text.title,
        audience=source.audience,
        language=text.language,
        content_hash="",
        version=0,
        state="pending",
        synced_at=utc_now(),
    )
    row = session.scalars(
        select(DocumentRow)
        .where(DocumentRow.source_id == source.id, DocumentRow.uri == uri)
        .with_for_update()
    ).one()
    written = session.scalar(
        select(func.max(PassageRow.version)).where(PassageRow.document_id == row.id)
    )
    version = max(row.version, written or 0) + 1
    passages = tuple(
        StoredPassage(
            id=passage_id(row.id, version, ordinal, f"{passage.breadcrumb}\n{passage.text}"),
            document_id=row.id,
            version=version,
            ordinal=ordinal,
            breadcrumb=passage.breadcrumb,
            text=passage.text,
            uri=uri,
            title=text.title,
            audience=source.audience,
            language=text.language,
            updated_at=text.updated_at,
            reviewed_until=text.reviewed_until,
            link=text.link,
        )
        for ordinal, passage in enumerate(text.passages)
    )
    session.add_all(
        PassageRow(
            id=passage.id,
            document_id=passage.document_id,
            version=passage.version,
            ordinal=passage.ordinal,
            heading=passage.breadcrumb,
            text=passage.text,
        )
        for passage in passages
    )
    session.flush()
    return passages


def changed_headings(session: Session, document_id: int, version: int) -> frozenset[str]:
    """Return the headings of the served version under which `version` says something else.

    Headings that `version` does not have any more are among them.
    """
    rows = session.execute(
        select(PassageRow.version, PassageRow.heading, PassageRow.text)
        .where(PassageRow.document_id == document_id)
        .order_by(PassageRow.ordinal)
    )
    texts: dict[bool, dict[str, list[str]]] = {True: {}, False: {}}
    for written, breadcrumb, text in rows:
        texts[written == version].setdefault(breadcrumb.rsplit(" > ", 1)[-1], []).append(text)
    new, old = texts[True], texts[False]
    return frozenset(heading for heading, said in old.items() if new.get(heading) != said)


def serve_version(
    session: Session, document_id: int, version: int, text: DocumentText
) -> tuple[str, ...]:
    """Flip a document to a version that is written and indexed.

    Returns:
        The ids of the passages that are served no longer; they are gone from SQL, and the
        caller takes them out of the indexes.
    """
    row = session.scalars(
        select(DocumentRow).where(DocumentRow.id == document_id).with_for_update()
    ).one()
    row.title, row.language, row.owner = text.title, text.language, text.owner
    row.content_hash, row.version, row.state = text.content_hash, version, "indexed"
    row.updated_at, row.reviewed_until = text.updated_at, text.reviewed_until
    row.link = text.link
    row.synced_at = utc_now()
    session.flush()
    return _drop_passages(
        session, and_(PassageRow.document_id == document_id, PassageRow.version != version)
    )


def withdraw(session: Session, document_id: int) -> tuple[str, ...]:
    """Stop serving a document, at once. Its row stays, so that its ids are never used again.

    Returns:
        The ids of its passages; they are gone from SQL, and the caller takes them out of the
        indexes.
    """
    row = session.scalars(
        select(DocumentRow).where(DocumentRow.id == document_id).with_for_update()
    ).one()
    row.state, row.content_hash, row.synced_at = "deleted", "", utc_now()
    session.flush()
    return _drop_passages(session, PassageRow.document_id == document_id)


def move(session: Session, document_id: int, uri: str, link: str | None) -> None:
    """Give a document a new address; what it says, and the ids of its passages, stay.

    Whatever lay at the new address before and is deleted makes room for it.
    """
    row = session.scalars(
        select(DocumentRow).where(DocumentRow.id == document_id).with_for_update()
    ).one()
    taken = session.scalars(
        select(DocumentRow).where(DocumentRow.source_id == row.source_id, DocumentRow.uri == uri)
    ).one_or_none()
    if taken is not None and taken.id != row.id:
        session.delete(taken)
        session.flush()
    row.former_uri, row.uri, row.link, row.synced_at = row.uri, uri, link, utc_now()


def passages_by_ids(
    session: Session, ids: Iterable[str], audiences: Collection[str]
) -> dict[str, StoredPassage]:
    """Return those of the passages `ids` that may be used now, for these audiences.

    This is the last check before any use: the indexes may lag behind, SQL does not. A passage
    is returned only if its document is served, its version is the served one, and its audience
    is among `audiences`; no audience means no passage.
    """
    if not audiences:
        return {}
    wanted = list(dict.fromkeys(ids))
    found: dict[str, StoredPassage] = {}
    for start in range(0, len(wanted), IDS_PER_STATEMENT):
        batch = wanted[start : start + IDS_PER_STATEMENT]
        given = {"audiences": sorted(audiences), "ids": batch}
        found |= {p.id: p for p in _passages(session, _BY_IDS, given)}
    return found


def passages_at(
    session: Session, uri: str, audiences: Collection[str]
) -> tuple[StoredPassage, ...]:
    """Return the served passages of the documents at an address, in reading order.

    Where nothing is any more, the documents that were moved from there are meant.
    """
    if not audiences:
        return ()
    given = {"audiences": sorted(audiences), "uri": uri}
    here = tuple(_passages(session, _BY_URI, given))
    return here or tuple(_passages(session, _BY_FORMER_URI, given))


def served_passages(
    session: Session, document_ids: Sequence[int], audiences: Collection[str]
) -> tuple[StoredPassage, ...]:
    """Return the served passages of some documents, in reading order."""
    if not audiences or not document_ids:
        return ()
    given = {"audiences": sorted(audiences), "documents": list(document_ids)}
    return tuple(_passages(session, _BY_DOCUMENTS, given))


def served_ids(session: Session, audience: str) -> frozenset[str]:
    """Return the ids of all passages that are served to an audience."""
    return frozenset(
        session.scalars(
            select(PassageRow.id)
            .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
            .where(_IS_SERVED, DocumentRow.audience == audience)
        )
    )


def all_audiences(session: Session) -> frozenset[str]:
    """Return every audience that any document was ever for."""
    return frozenset(session.scalars(select(DocumentRow.audience).distinct()))


def unserved_passages(session: Session) -> tuple[UnservedPassage, ...]:
    """Return what interrupted work left behind: passages of versions that are not served."""
    rows = session.execute(
        select(PassageRow.id, DocumentRow.audience)
        .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
        .where(or_(DocumentRow.state != "indexed", PassageRow.version != DocumentRow.version))
    )
    return tuple(UnservedPassage(id, audience) for id, audience in rows)


def drop_passages(session: Session, ids: Iterable[str]) -> None:
    """Delete passages. Meant for what `unserved_passages` returned."""
    doomed = list(ids)
    for start in range(0, len(doomed), IDS_PER_STATEMENT):
        batch = doomed[start : start + IDS_PER_STATEMENT]
        session.execute(delete(PassageRow).where(PassageRow.id.in_(batch)))


def count_passages_of(session: Session, source_id: int) -> int:
    """Return how many passages of a source are served."""
    counted = session.scalar(
        select(func.count())
        .select_from(PassageRow)
        .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
        .where(_IS_SERVED, DocumentRow.source_id == source_id)
    )
    return int(counted or 0)


def count_served(session: Session) -> tuple[int, int]:
    """Return how many documents and how many passages are served."""
    documents = session.scalar(
        select(func.count()).select_from(DocumentRow).where(DocumentRow.state == "indexed")
    )
    passages = session.scalar(
        select(func.count())
        .select_from(PassageRow)
        .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
        .where(_IS_SERVED)
    )
    return int(documents or 0), int(passages or 0)


_IS_SERVED = and_(DocumentRow.state == "indexed", PassageRow.version == DocumentRow.version)

_PASSAGE, _DOCUMENT = inspect(PassageRow).local_table.c, inspect(DocumentRow).local_table.c

# Built once, and over the tables themselves: building a statement, and making rows into objects of
# the mapper, cost several times what SQLite takes to answer it.
_SERVED = (
    select(
        _PASSAGE.id,
        _PASSAGE.document_id,
        _PASSAGE.version,
        _PASSAGE.ordinal,
        _PASSAGE.heading,
        _PASSAGE.text,
        _DOCUMENT.uri,
        _DOCUMENT.title,
        _DOCUMENT.audience,
        _DOCUMENT.language,
        _DOCUMENT.updated_at,
        _DOCUMENT.reviewed_until,
        _DOCUMENT.link,
    )
    .where(
        _DOCUMENT.id == _PASSAGE.document_id,
        _DOCUMENT.state == "indexed",
        _PASSAGE.version == _DOCUMENT.version,
        _DOCUMENT.audience.in_(bindparam("audiences", expanding=True)),
    )
    .order_by(_PASSAGE.document_id, _PASSAGE.ordinal)
)
_BY_IDS = _SERVED.where(_PASSAGE.id.in_(bindparam("ids", expanding=True)))
_BY_DOCUMENTS = _SERVED.where(_DOCUMENT.id.in_(bindparam("documents", expanding=True)))
_BY_URI = _SERVED.where(_DOCUMENT.uri == bindparam("uri"))
_BY_FORMER_URI = _SERVED.where(_DOCUMENT.former_uri == bindparam("uri"))


def _passages(
    session: Session, statement: Select[*tuple[Any, ...]], given: Mapping[str, Any]
) -> Iterator[StoredPassage]:
    for row in session.connection().execute(statement, given):
        fields: tuple[Any, ...] = tuple(row)  # selected in the order of `StoredPassage`
        yield StoredPassage(*fields)


def _drop_passages(session: Session, condition: ColumnElement[bool]) -> tuple[str, ...]:
    ids = tuple(session.scalars(select(PassageRow.id).where(condition)))
    session.execute(delete(PassageRow).where(condition))
    return ids
