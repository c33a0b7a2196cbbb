"""Pairs: questions with right answers, their sources, and the groups that keep the split clean."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class PairGroupRow(Table):
    """Near-duplicate questions. The split is drawn once and never changes."""

    __tablename__ = "pair_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    split: Mapped[str]  # train, held_out
    created_at: Mapped[datetime]


class PairRow(Table):
    """An input with its right output. Nothing is overwritten: a new text is a new pair."""

    __tablename__ = "pairs"
    __table_args__ = (Index("ix_pairs_state_audience", "state", "audience"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    input: Mapped[str] = mapped_column(Text)
    input_key: Mapped[str] = mapped_column(index=True)
    output: Mapped[str] = mapped_column(Text)
    context: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str]
    audience: Mapped[str]
    state: Mapped[str]  # proposed, approved, rejected, revoked, superseded
    author: Mapped[str]
    reason: Mapped[str | None]
    decided_by: Mapped[str | None]
    origin: Mapped[str]  # slack, import, command
    origin_key: Mapped[str] = mapped_column(unique=True)
    answer_id: Mapped[int | None]
    group_id: Mapped[int] = mapped_column(ForeignKey("pair_groups.id"), index=True)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    review_since: Mapped[datetime | None]
    review_reason: Mapped[str | None] = mapped_column(Text)


class PairSourceRow(Table):
    """A section that a pair's output rests on, by address, so that it outlives re-indexing."""

    __tablename__ = "pair_sources"

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), index=True)
    uri: Mapped[str]
    heading: Mapped[str]
