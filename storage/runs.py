"""Runs: proposed once a period, one open at a time, owned by a lease and fenced by an attempt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from storage import audit, jobs
from storage.clock import utc_now
from storage.insertion import insert_once, rows_changed
from storage.tables import RunRow

#: The stages of an open run, in their order.
OPEN_STATES = ("queued", "preparing", "training", "merging", "evaluating", "paused")
#: What the period of a run begins with that trains another base model, to challenge.
CHALLENGE = "challenge:"
#: How a run ends. `promoted` is a passed run whose version answers.
END_STATES = ("passed", "refused", "failed", "cancelled", "promoted")


class RunLost(Exception):
    """Another process has taken the run over, or it has ended; what was to be written is void."""


class RunRefused(Exception):
    """No run can be started, or there is none to do this with; the message says why."""


@dataclass(frozen=True)
class Run:
    """One training, from the proposal to its outcome."""

    id: int
    period_key: str
    state: str
    requested_by: str
    snapshot_id: int | None
    version_id: int | None
    step: int
    steps: int
    loss: float | None
    tokens_per_second: float | None
    seconds_left: float | None
    message: str
    report: Mapping[str, Any] | None
    error: str | None
    attempt: int
    owner: str | None
    cancelled_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the run has not ended."""
        return self.state in OPEN_STATES

    @property
    def is_paused(self) -> bool:
        """Whether the run waits for somebody to say that it may go on."""
        return self.state == "paused"

    @property
    def is_challenge(self) -> bool:
        """Whether it trains another base model than the one in use, to challenge."""
        return self.period_key.startswith(CHALLENGE)


def propose(session: Session, period_key: str, requested_by: str) -> Run:
    """Queue a run. The key and the one open slot are unique, whoever else proposes meanwhile.

    Args:
        session: A writing transaction.
        period_key: What the run is for: a date for the schedule, so that a day has one run.
        requested_by: A Slack user id, `command line` or `schedule`.

    Raises:
        RunRefused: a run is open, or this period has had its run.
    """
    made = insert_once(
        session,
        RunRow,
        period_key=period_key,
        state="queued",
        open_slot=1,
        requested_by=requested_by,
        step=0,
        steps=0,
        message="",
        attempt=0,
        created_at=utc_now(),
    )
    if made is not None:
        audit.record(session, requested_by, "run.propose", f"run {made}", {"period": period_key})
        return get(session, made)
    open_run = current(session)
    if open_run is not None:
        raise RunRefused(
            f"Run {open_run.id} is {open_run.state}; there is never more than one at a time."
        )
    raise RunRefused(f"There has been a run for {period_key!r} already.")


def claim(session: Session, run_id: int, owner: str, lease: timedelta) -> Run:
    """Take an open run that nobody holds, or whose owner's lease has run out.

    Args:
        session: A writing transaction of its own.
        run_id: Which run.
        owner: Who claims: unique for each process.
        lease: How long it is ours before others may take it, unless it is renewed.

    Raises:
        RunLost: the run has ended or somebody else holds it.
    """
    now = utc_now()
    free = or_(RunRow.lease_until.is_(None), RunRow.lease_until < now, RunRow.owner == owner)
    changed = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.open_slot == 1, free)
        .values(attempt=RunRow.attempt + 1, owner=owner, lease_until=now + lease)
    )
    if not rows_changed(changed):
        raise RunLost(f"Run {run_id} has ended, or another process works on it.")
    session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.started_at.is_(None))
        .values(started_at=now)
    )
    return get(session, run_id)


def renew(session: Session, run_id: int, attempt: int, lease: timedelta) -> Run:
    """Keep a run for another while, and see whether it is to end. Raises `RunLost`."""
    _write(session, run_id, attempt, lease_until=utc_now() + lease)
    return get(session, run_id)


def release(session: Session, run_id: int, attempt: int) -> None:
    """Let another process take an open run at once. Raises `RunLost`."""
    _write(session, run_id, attempt, owner=None, lease_until=None)


def pause(session: Session, run_id: int, attempt: int, message: str) -> Run:
    """Let an open run wait, held by nobody, for `resume` or `cancel`. Raises `RunLost`."""
    _write(
        session,
        run_id,
        attempt,
        state="paused",
        message=message,
        error=message,
        owner=None,
        lease_until=None,
        seconds_left=None,
    )
    run = get(session, run_id)
    audit.record(session, run.requested_by, "run.pause", f"run {run_id}", {"message": message})
    return run


def resume(session: Session, run_id: int, actor: str) -> Run:
    """Queue a paused run again, to go on where it was. One that is not paused stays as it is."""
    run = get(session, run_id)
    if not run.is_paused:
        return run
    session.execute(
        update(RunRow).where(RunRow.id == run_id).values(state="queued", message="", error=None)
    )
    enqueue(session, run)
    audit.record(session, actor, "run.resume", f"run {run_id}")
    return get(session, run_id)


def enqueue(session: Session, run: Run) -> None:
    """Queue the job that does a run, or goes on with it; once for each time it was stopped."""
    key = f"retrain:{run.id}" + (f":{run.attempt}" if run.attempt else "")
    jobs.enqueue(session, "retrain", {"run_id": run.id}, key=key)


def enter(session: Session, run_id: int, attempt: int, state: str, message: str = "") -> None:
    """Move an open run to another stage. Raises `RunLost`."""
    if state not in OPEN_STATES:
        raise ValueError(f"{state!r} is not a stage of a run; those are {', '.join(OPEN_STATES)}.")
    _write(session, run_id, attempt, state=state, message=message)


def progress(
    session: Session,
    run_id: int,
    attempt: int,
    *,
    step: int,
    steps: int,
    loss: float | None = None,
    tokens_per_second: float | None = None,
    seconds_left: float | None = None,
    message: str | None = None,
) -> None:
    """Write down how far the stage is. Raises `RunLost`."""
    values: dict[str, Any] = {"step": step, "steps": steps, "seconds_left": seconds_left}
    optional = {"loss": loss, "tokens_per_second": tokens_per_second, "message": message}
    values |= {name: value for name, value in optional.items() if value is not None}
    _write(session, run_id, attempt, **values)


def set_snapshot(session: Session, run_id: int, attempt: int, snapshot_id: int) -> None:
    """Bind the run to its snapshot. Raises `RunLost`."""
    _write(session, run_id, attempt, snapshot_id=snapshot_id)


def finish(
    session: Session,
    run_id: int,
    attempt: int,
    state: str,
    *,
    message: str,
    report: Mapping[str, Any] | None = None,
    version_id: int | None = None,
    error: str | None = None,
) -> Run:
    """End a run as passed, refused, failed or cancelled, and free the slot. Raises `RunLost`."""
    if state not in ("passed", "refused", "failed", "cancelled"):
        raise ValueError(f"A run cannot end as {state!r}.")
    values: dict[str, Any] = {"state": state, "message": message, "error": error}
    if report is not None:
        values["report"] = dict(report)
    if version_id is not None:
        values["version_id"] = version_id
    _write(
        session,
        run_id,
        attempt,
        **values,
        open_slot=None,
        owner=None,
        lease_until=None,
        seconds_left=None,
        finished_at=utc_now(),
    )
    run = get(session, run_id)
    audit.record(session, run.requested_by, f"run.{state}", f"run {run_id}", {"message": message})
    return run


def abandon(session: Session, run_id: int, message: str) -> Run:
    """End an open run as failed, whoever holds it; one that has ended is left as it is."""
    ended = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.open_slot == 1)
        .values(
            state="failed",
            message=message,
            error=message,
            open_slot=None,
            owner=None,
            lease_until=None,
            seconds_left=None,
            finished_at=utc_now(),
        )
    )
    run = get(session, run_id)
    if rows_changed(ended):
        audit.record(session, run.requested_by, "run.failed", f"run {run_id}", {"message": message})
    return run


def cancel_if_using(session: Session, using: Collection[int], actor: str) -> None:
    """Cancel the open run if it is one of these, or may train on the same pairs.

    It may if it has begun and has no snapshot yet: it has read pairs, and nobody knows which.

    Args:
        session: A writing transaction.
        using: The runs whose snapshots hold the pairs that are going.
        actor: Who makes them go.
    """
    open_run = current(session)
    if open_run is None:
        return
    is_preparing = open_run.snapshot_id is None and open_run.state != "queued"
    if open_run.id in using or is_preparing:
        cancel(session, open_run.id, actor)


def cancel(session: Session, run_id: int, actor: str) -> Run:
    """End a queued run at once, and ask one that has begun to end at its next step.

    A paused one gets its job back, which ends it and clears away what was trained.

    Raises:
        RunRefused: there is no such open run.
    """
    run = find(session, run_id)
    if run is None or not run.is_open:
        raise RunRefused(f"There is no open run {run_id} to cancel.")
    audit.record(session, actor, "run.cancel", f"run {run_id}", {"state": run.state})
    session.execute(update(RunRow).where(RunRow.id == run_id).values(cancelled_by=actor))
    if run.is_paused:
        enqueue(session, run)
    if run.state == "queued" and run.owner is None and run.started_at is None:
        session.execute(
            update(RunRow)
            .where(RunRow.id == run_id)
            .values(
                state="cancelled",
                message=f"Cancelled by {actor} before it began.",
                open_slot=None,
                finished_at=utc_now(),
            )
        )
    return get(session, run_id)


def release_all_but(session: Session, owner: str) -> int:
    """Free every open run that `owner` does not hold.

    Only for a process that holds the lock of this installation: whoever held those runs is gone.
    """
    changed = session.execute(
        update(RunRow)
        .where(RunRow.open_slot == 1, or_(RunRow.owner.is_(None), RunRow.owner != owner))
        .where(RunRow.lease_until.is_not(None))
        .values(owner=None, lease_until=None)
    )
    return rows_changed(changed)


def get(session: Session, run_id: int) -> Run:
    """Return one run. Raises `RunRefused` when there is none with this id."""
    run = find(session, run_id)
    if run is None:
        raise RunRefused(f"There is no run {run_id}. `skredder train list` shows them.")
    return run


def find(session: Session, run_id: int) -> Run | None:
    """Return one run, or None."""
    row = session.get(RunRow, run_id, populate_existing=True)
    return None if row is None else _run(row)


def current(session: Session) -> Run | None:
    """Return the open run, if there is one."""
    row = session.scalar(select(RunRow).where(RunRow.open_slot == 1))
    return None if row is None else _run(row)


def listed(session: Session, limit: int = 20) -> tuple[Run, ...]:
    """Return the newest runs first."""
    rows = session.scalars(select(RunRow).order_by(RunRow.id.desc()).limit(limit))
    return tuple(_run(row) for row in rows)


def _write(session: Session, run_id: int, attempt: int, **values: Any) -> None:
    mine = and_(RunRow.id == run_id, RunRow.attempt == attempt, RunRow.open_slot == 1)
    if not rows_changed(session.execute(update(RunRow).where(mine).values(**values))):
        raise RunLost(f"Run {run_id}, attempt {attempt}, has been taken over or has ended.")


def _run(row: RunRow) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.__dataclass_fields__})
