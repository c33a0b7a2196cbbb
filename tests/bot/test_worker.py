"""Workers: many may wait, one of them looks, and none is late."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from bot.worker import Workers
from storage import jobs
from storage.database import Database
from storage.jobs import Job


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'skredder.db'}")
    database.migrate()
    return database


def _add(database: Database, count: int) -> None:
    with database.write() as session:
        for number in range(count):
            jobs.enqueue(session, "wait", {}, key=f"wait:{time.monotonic_ns()}:{number}")


def test_of_a_hundred_idle_workers_one_looks_for_work(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    any_due = jobs.any_due
    monkeypatch.setattr(
        jobs,
        "any_due",
        lambda *given: looked.append(threading.current_thread().name) or any_due(*given),
    )
    workers = _workers(database, lambda job: None, threads=100)
    workers.start()
    time.sleep(1.0)
    looked.clear()
    time.sleep(2.2)
    workers.stop()
    assert 1 <= len(looked) <= 8


@pytest.mark.parametrize("is_told", [True, False], ids=["when told", "by itself"])
def test_as_many_work_as_there_are_jobs(database: Database, is_told: bool) -> None:
    together = threading.Barrier(40)
    done: list[int] = []

    def meet(job: Job) -> None:
        together.wait(20)  # breaks unless all forty are worked on at the same time
        done.append(job.id)

    workers = _workers(database, meet, threads=64)
    workers.start()
    time.sleep(0.3)
    _add(database, 40)
    if is_told:
        workers.wake()
    _wait_for(lambda: len(done) == 40)
    workers.stop()
    assert len(set(done)) == 40


def test_a_job_is_begun_at_once_after_the_one_that_looked_has_got_work(database: Database) -> None:
    begun: list[float] = []
    workers = _workers(database, lambda job: begun.append(time.monotonic()), threads=8)
    workers.start()
    time.sleep(0.3)
    waits = []
    for _ in range(20):
        before = len(begun)
        added = time.monotonic()
        _add(database, 1)
        workers.wake()
        _wait_for(lambda before=before: len(begun) > before)
        waits.append(begun[-1] - added)
    workers.stop()
    assert sorted(waits)[10] < 0.25  # looking by itself would take half of 0.5 seconds and longer


def _workers(database: Database, do: object, threads: int) -> Workers:
    return Workers(
        name="test",
        database=database,
        handlers={"wait": do},  # type: ignore[dict-item]
        give_up=lambda job, error: None,
        threads=threads,
    )


def _wait_for(is_so: object) -> None:
    until = time.monotonic() + 20
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.005)
