"""Jobs: claimed with a lease, fenced by an attempt number, finished once.

A worker that loses its lease (it hung, or its machine slept) may wake up later and try to write.
Every write therefore names the attempt under which the job was claimed, and is refused when
another attempt has begun since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once, rows_changed
from storage.tables import JobRow


class LeaseLost(Exception):
    """Another worker has taken the job over; whatever this one was about to write is void."""


@dataclass(frozen=True)
class Job:
    """A claimed piece of work."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    inbox_id: int | None
    attempt: int
    created_at: datetime
    excused: int = 0

    @property
    def tries(self) -> int:
        """How often the job was begun, those times not counted that were nobody's fault."""
        return self.attempt - self.excused


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    inbox_id: int | None = None,
    delay: timedelta = timedelta(0),
) -> int | None:
    """Add a job in the caller's transaction. Returns its id, or None when `key` is taken."""
    now = utc_now()
    return insert_once(
        session,
        JobRow,
        kind=kind,
        key=key,
        inbox_id=inbox_id,
        payload=dict(payload or {}),
        state="ready",
        run_after=now + delay,
        attempt=0,
        created_at=now,
    )


def claim(
    session: Session, owner: str, lease: timedelta, kinds: Collection[str] | None = None
) -> Job | None:
    """Take the oldest job that is due, or one whose owner's lease has run out.

    Args:
        session: A writing transaction of its own.
        owner: Who claims: unique for each process.
        lease: How long the job is ours before others may take it.
        kinds: Only jobs of these kinds, or None for any.
    """
    now = utc_now()
    wanted = select(JobRow).where(_is_due()).order_by(JobRow.run_after, JobRow.id).limit(1)
    if kinds is not None:
        wanted = wanted.where(JobRow.kind.in_(sorted(kinds)))
    row = session.scalar(wanted.with_for_update(skip_locked=True))
    if row is None:
        return None
    row.state, row.owner, row.lease_until = "running", owner, now + lease
    row.attempt += 1
    session.flush()
    return Job(
        row.id, row.kind, row.payload, row.inbox_id, row.attempt, row.created_at, row.excused
    )


def any_due(session: Session, kinds: Collection[str]) -> bool:
    """Whether `claim` would find something; for a reader, so that looking locks nobody out."""
    wanted = select(JobRow.id).where(_is_due(), JobRow.kind.in_(sorted(kinds))).limit(1)
    return session.scalar(wanted) is not None


def renew(session: Session, job: Job, lease: timedelta) -> None:
    """Keep the job for another while. Raises `LeaseLost`."""
    _write(session, job, lease_until=utc_now() + lease)


def check(session: Session, job: Job) -> None:
    """Raise `LeaseLost` unless the job is still ours; locks it until the transaction ends."""
    held = session.scalar(
        select(JobRow.id)
        .where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "running")
        .with_for_update()
    )
    if held is None:
        raise LeaseLost(f"Job {job.id}, attempt {job.attempt}, has been taken over or ended.")


def finish(session: Session, job: Job) -> None:
    """Mark the job done. Raises `LeaseLost`."""
    _write(session, job, state="done", finished_at=utc_now(), owner=None, lease_until=None)


def finish_if_open(session: Session, job: Job) -> None:
    """Mark the job done unless its handler has already ended it. Raises `LeaseLost`."""
    state = session.scalar(select(JobRow.state).where(JobRow.id == job.id))
    if state != "done":
        finish(session, job)


def retry_later(
    session: Session, job: Job, delay: timedelta, error: str, *, counts: bool = True
) -> None:
    """Give the job back, to be tried again after `delay`. Raises `LeaseLost`.

    With `counts` off the attempt is not held against the job (Slack was busy, say). The attempt
    number itself never goes back: it fences.
    """
    _write(
        session,
        job,
        state="ready",
        run_after=utc_now() + delay,
        owner=None,
        lease_until=None,
        error=error,
        excused=JobRow.excused + (0 if counts else 1),
    )


def fail(session: Session, job: Job, error: str, error_id: str) -> None:
    """End the job as failed; `error_id` is what the person was told. Raises `LeaseLost`."""
    _write(
        session,
        job,
        state="failed",
        finished_at=utc_now(),
        owner=None,
        lease_until=None,
        error=error,
        error_id=error_id,
    )


def release_owner(session: Session, owner: str) -> int:
    """Free all jobs of an owner that is known to be gone. Returns how many there were."""
    result = session.execute(
        update(JobRow)
        .where(JobRow.state == "running", JobRow.owner == owner)
        .values(state="ready", owner=None, lease_until=None)
    )
    return rows_changed(result)


def release_all_but(session: Session, owner: str) -> int:
    """Free every running job that `owner` does not hold.

    Only for a process that holds the lock of this installation: whoever held those jobs is gone.
    """
    result = session.execute(
        update(JobRow)
        .where(JobRow.state == "running", or_(JobRow.owner != owner, JobRow.owner.is_(None)))
        .values(state="ready", owner=None, lease_until=None)
    )
    return rows_changed(result)


def count_open(session: Session, kinds: Collection[str] | None = None) -> int:
    """Return how many jobs are waiting or running."""
    counted = select(func.count()).select_from(JobRow).where(JobRow.state.in_(("ready", "running")))
    if kinds is not None:
        counted = counted.where(JobRow.kind.in_(sorted(kinds)))
    return int(session.scalars(counted).one())


def _is_due() -> ColumnElement[bool]:
    now = utc_now()
    return or_(
        and_(JobRow.state == "ready", JobRow.run_after <= now),
        and_(JobRow.state == "running", JobRow.lease_until < now),
    )


def _write(session: Session, job: Job, **values: Any) -> None:
    result = session.execute(
        update(JobRow)
        .where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "running")
        .values(**values)
    )
    if rows_changed(result) == 0:
        raise LeaseLost(f"Job {job.id}, attempt {job.attempt}, has been taken over or ended.")
