"""Sources, the documents in them, and the passages those are cut into."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class SourceRow(Table):
    """A place documents come from, with the audience that may see them."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("location", "audience"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    location: Mapped[str]
    audience: Mapped[str]
    created_at: Mapped[datetime]
    synced_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None]
    is_leaving: Mapped[bool] = mapped_column(server_default=false())


class DocumentRow(Table):
    """One document. `version` counts its texts; passages of an older version are never served."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("source_id", "uri"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    uri: Mapped[str] = mapped_column(index=True)
    former_uri: Mapped[str | None] = mapped_column(index=True)  # where it was before it moved
    link: Mapped[str | None]
    title: Mapped[str]
    audience: Mapped[str] = mapped_column(index=True)
    language: Mapped[str]
    owner: Mapped[str | None]
    content_hash: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]  # pending, indexed, deleted
    updated_at: Mapped[datetime | None]
    reviewed_until: Mapped[datetime | None]
    synced_at: Mapped[datetime]


class PassageRow(Table):
    """A piece of a document. The id is made of document, version and place, so it is stable."""

    __tablename__ = "passages"
    __table_args__ = (UniqueConstraint("document_id", "version", "ordinal"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), index=True)
    version: Mapped[int]
    ordinal: Mapped[int]
    heading: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
