"""What came in, what is to be done, and what went out: the protocol that survives `kill -9`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class InboxRow(Table):
    """One thing that Slack sent and that was accepted. `key` makes redelivery harmless."""

    __tablename__ = "inbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    team_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class JobRow(Table):
    """A piece of work. Claimed with a lease; `attempt` fences every write of a former owner."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_run_after", "state", "run_after"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str | None] = mapped_column(unique=True)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), index=True)
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="ready")  # ready, running, done, failed
    run_after: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(default=0)
    #: How many of the attempts were nobody's fault and do not count towards giving up.
    excused: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_id: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class OutboxRow(Table):
    """A message that a job owes Slack. Posted once, then only updated."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("job_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    purpose: Mapped[str]
    channel: Mapped[str]
    thread_ts: Mapped[str | None]
    state: Mapped[str]  # posting, posted, final
    ts: Mapped[str | None] = mapped_column(index=True)
    attempt: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
