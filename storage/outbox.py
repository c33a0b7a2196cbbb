"""The outbox: each message a job owes is posted once; everything after that is an update of it.

Only the posting itself is ambiguous after a crash. So the intent is committed first (`posting`),
then the message is posted, then its `ts` is committed (`posted`). A row found in `posting` means:
look in the channel for the message before posting again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import jobs
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.jobs import Job
from storage.tables import OutboxRow


@dataclass(frozen=True)
class OutboxMessage:
    """A message that a job owes. `ts` is known once it stands in the channel."""

    id: int
    job_id: int
    purpose: str
    channel: str
    thread_ts: str | None
    state: str
    ts: str | None
    attempt: int
    updated_at: datetime
    is_new: bool = False


def intend(
    session: Session, job: Job, purpose: str, channel: str, thread_ts: str | None
) -> OutboxMessage:
    """Commit that the job is about to post; returns what is known of an earlier try.

    Raises:
        LeaseLost: another worker has the job now.
    """
    jobs.check(session, job)
    now = utc_now()
    made = insert_once(
        session,
        OutboxRow,
        job_id=job.id,
        purpose=purpose,
        channel=channel,
        thread_ts=thread_ts,
        state="posting",
        attempt=job.attempt,
        created_at=now,
        updated_at=now,
    )
    row = session.scalars(
        select(OutboxRow).where(OutboxRow.job_id == job.id, OutboxRow.purpose == purpose)
    ).one()
    return _message(row, is_new=made is not None)


def posted(session: Session, job: Job, message: OutboxMessage, ts: str) -> OutboxMessage:
    """Commit that the message stands in the channel under `ts`. Raises `LeaseLost`."""
    jobs.check(session, job)
    return _advance(session, message, "posted", ts)


def final(session: Session, job: Job, message: OutboxMessage) -> OutboxMessage:
    """Commit that the message shows its last text. Raises `LeaseLost`."""
    jobs.check(session, job)
    return _advance(session, message, "final", message.ts)


def known_timestamps(session: Session, channel: str) -> frozenset[str]:
    """Return the `ts` of every message in `channel` that some job has claimed as its own."""
    return frozenset(
        ts
        for ts in session.scalars(select(OutboxRow.ts).where(OutboxRow.channel == channel))
        if ts is not None
    )


def _advance(session: Session, message: OutboxMessage, state: str, ts: str | None) -> OutboxMessage:
    row = session.scalars(select(OutboxRow).where(OutboxRow.id == message.id)).one()
    row.state, row.ts, row.updated_at = state, ts, utc_now()
    session.flush()
    return _message(row)


def _message(row: OutboxRow, *, is_new: bool = False) -> OutboxMessage:
    return OutboxMessage(
        row.id,
        row.job_id,
        row.purpose,
        row.channel,
        row.thread_ts,
        row.state,
        row.ts,
        row.attempt,
        row.updated_at,
        is_new,
    )
