from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine

from storage import jobs
from storage.clock import utc_now
from storage.database import Database
from storage.jobs import Job, LeaseLost

LEASE = timedelta(seconds=30)


def _claim(database: Database, owner: str = "me") -> Job | None:
    with database.write() as session:
        return jobs.claim(session, owner, LEASE)


def _enqueue(database: Database, **arguments: object) -> int | None:
    with database.write() as session:
        return jobs.enqueue(session, "answer", {"question_id": 1}, **arguments)  # type: ignore[arg-type]


def test_a_job_is_claimed_by_one_worker_only(database: Database) -> None:
    _enqueue(database)
    claimed: list[Job] = []

    def work() -> None:
        job = _claim(database, threading.current_thread().name)
        if job:
            claimed.append(job)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 1


def test_the_same_key_is_enqueued_once(database: Database) -> None:
    assert _enqueue(database, key="answer:1") is not None
    assert _enqueue(database, key="answer:1") is None


def test_a_job_whose_worker_died_is_taken_over_when_its_lease_runs_out(
    database: Database,
) -> None:
    _enqueue(database)
    first = _claim(database)
    assert first is not None
    assert _claim(database, "other") is None
    with time_machine.travel(utc_now() + LEASE + timedelta(seconds=1)):
        second = _claim(database, "other")
    assert second is not None
    assert (second.id, second.attempt) == (first.id, first.attempt + 1)


def test_a_worker_that_lost_its_lease_can_write_nothing(database: Database) -> None:
    _enqueue(database)
    stale = _claim(database)
    assert stale is not None
    with time_machine.travel(utc_now() + LEASE + timedelta(seconds=1)):
        fresh = _claim(database, "other")
    assert fresh is not None
    for write in (
        lambda s: jobs.finish(s, stale),
        lambda s: jobs.check(s, stale),
        lambda s: jobs.renew(s, stale, LEASE),
        lambda s: jobs.fail(s, stale, "x", "E-1"),
        lambda s: jobs.retry_later(s, stale, LEASE, "x"),
    ):
        with pytest.raises(LeaseLost), database.write() as session:
            write(session)
    with database.write() as session:
        jobs.finish(session, fresh)


def test_a_job_put_off_is_not_due_before_its_time(database: Database) -> None:
    _enqueue(database, delay=timedelta(minutes=5))
    assert _claim(database) is None
    with time_machine.travel(utc_now() + timedelta(minutes=6)):
        assert _claim(database) is not None


def test_waiting_for_slack_does_not_count_as_a_failed_try(database: Database) -> None:
    _enqueue(database)
    for _ in range(3):
        job = _claim(database)
        assert job is not None
        with database.write() as session:
            jobs.retry_later(session, job, timedelta(0), "busy", counts=False)
    job = _claim(database)
    assert job is not None
    assert (job.attempt, job.tries) == (4, 1)


def test_jobs_of_a_process_that_is_gone_are_free_at_once(database: Database) -> None:
    _enqueue(database)
    _claim(database, "gone")
    with database.write() as session:
        assert jobs.release_all_but(session, "me") == 1
    assert _claim(database) is not None
