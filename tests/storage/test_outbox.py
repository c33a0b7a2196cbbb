from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from storage import jobs, outbox
from storage.clock import utc_now
from storage.database import Database
from storage.jobs import Job, LeaseLost


def _job(database: Database, owner: str = "me") -> Job:
    with database.write() as session:
        jobs.enqueue(session, "answer", {}, key="one")
        job = jobs.claim(session, owner, timedelta(seconds=30))
    assert job is not None
    return job


def test_a_message_is_intended_once_and_then_remembered(database: Database) -> None:
    job = _job(database)
    with database.write() as session:
        first = outbox.intend(session, job, "answer", "C1", "1.0")
    with database.write() as session:
        again = outbox.intend(session, job, "answer", "C1", "1.0")
    assert (first.is_new, first.state) == (True, "posting")
    assert (again.is_new, again.id) == (False, first.id)
    with database.write() as session:
        outbox.posted(session, job, again, "2.0")
    with database.write() as session:
        assert outbox.intend(session, job, "answer", "C1", "1.0").ts == "2.0"
    with database.read() as session:
        assert outbox.known_timestamps(session, "C1") == {"2.0"}


def test_a_worker_without_a_lease_may_not_post(database: Database) -> None:
    stale = _job(database)
    with time_machine.travel(utc_now() + timedelta(minutes=1)):
        _job(database, "other")
        with pytest.raises(LeaseLost), database.write() as session:
            outbox.intend(session, stale, "answer", "C1", "1.0")
