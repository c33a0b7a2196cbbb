"""Canaries, and which thread is answered by which of the two versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class CanaryRow(Table):
    """A challenger that a share of threads gets. `open_slot` is unique: one at a time."""

    __tablename__ = "canaries"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("versions.id"))
    champion_id: Mapped[int] = mapped_column(ForeignKey("versions.id"))
    share: Mapped[float]
    #: NULL when it has ended, 1 while it goes on.
    open_slot: Mapped[int | None] = mapped_column(unique=True)
    state: Mapped[str]  # running, promoted, withdrawn
    reason: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CanaryThreadRow(Table):
    """A thread that began during a canary, and who answers it, for good."""

    __tablename__ = "canary_threads"
    __table_args__ = (UniqueConstraint("canary_id", "team_id", "channel", "thread_ts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    canary_id: Mapped[int] = mapped_column(ForeignKey("canaries.id"))
    team_id: Mapped[str]
    channel: Mapped[str]
    thread_ts: Mapped[str]
    is_challenger: Mapped[bool]
    started_at: Mapped[datetime]
