"""Workers: claim jobs, do them, and make sure that each ends exactly once."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from storage import jobs
from storage.database import Database
from storage.failpoints import failpoint
from storage.jobs import Job, LeaseLost

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15.0

#: How long an idle worker sleeps before it looks again, in seconds.
IDLE_SECONDS = 0.5

#: A job that fails this often is given up, with a message to the person who waits for it.
MOST_ATTEMPTS = 5

Handler = Callable[[Job], None]


class TryLater(Exception):
    """The job cannot be done right now, and that is nobody's fault."""

    def __init__(self, seconds: float, why: str) -> None:
        """Take how long to wait, in seconds, and the reason for the log."""
        super().__init__(why)
        self.seconds = seconds


class Workers:
    """Threads that do jobs of certain kinds.

    Of those that are idle one looks for work, and whoever takes a job wakes the next: so a hundred
    that wait cost no more than one, and as many work as there are jobs.

    A handler must be repeatable: it may be called again for the same job after a crash. It
    finishes its job itself, in the transaction of its last write, or leaves that to the worker.
    """

    def __init__(
        self,
        *,
        name: str,
        database: Database,
        handlers: Mapping[str, Handler],
        give_up: Callable[[Job, str], None],
        threads: int,
    ) -> None:
        """Take the collaborators; `start` begins.

        Args:
            name: What the threads are called.
            database: Where the jobs are.
            handlers: What to do with each kind of job; other kinds are left alone.
            give_up: Called with the job and a new error id when a job failed for good, before
                it is marked failed: it tells the person.
            threads: How many jobs are done at once.
        """
        self.owner = f"{name}-{secrets.token_hex(6)}"
        self._database = database
        self._handlers = dict(handlers)
        self._give_up = give_up
        self._wake = threading.Condition()
        self._called = 0
        self._has_lookout = False
        self._stopping = threading.Event()
        self._running: dict[int, Job] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True)
            for n in range(threads)
        ]
        self._heart = threading.Thread(target=self._beat, name=f"{name}-heart", daemon=True)

    def start(self) -> None:
        """Start the threads."""
        for thread in (*self._threads, self._heart):
            thread.start()

    def wake(self) -> None:
        """Look for work now."""
        with self._wake:
            self._called += 1
            self._wake.notify()

    def stop(self, seconds: float = 20.0) -> None:
        """Take no new jobs, wait up to `seconds` for running ones, give the others back."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(seconds)
        self._heart.join(1.0)
        with self._database.write() as session:
            jobs.release_owner(session, self.owner)

    @property
    def is_stopping(self) -> bool:
        """Whether long work should come to an end."""
        return self._stopping.is_set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            called = self._called
            try:
                job = self._claim()
            except SQLAlchemyError:
                log.exception("jobs cannot be claimed")
                job = None
            if job is None:
                self._rest(called)
                continue
            self.wake()
            with self._lock:
                self._running[job.id] = job
            try:
                self._do(job)
            except Exception:
                # The lease runs out and the job is taken up again; a worker must not die of it.
                log.exception("job could not be settled job=%d kind=%s", job.id, job.kind)
            finally:
                with self._lock:
                    self._running.pop(job.id, None)

    def _rest(self, called: int) -> None:
        """Wait until there may be work.

        Args:
            called: How often `wake` was called before work was looked for in vain.
        """
        with self._wake:
            if self._called != called or self._stopping.is_set():
                return
            if self._has_lookout:
                self._wake.wait()
                return
            self._has_lookout = True
            try:
                self._wake.wait(IDLE_SECONDS)
            finally:
                self._has_lookout = False

    def _claim(self) -> Job | None:
        with self._database.read() as session:
            if not jobs.any_due(session, self._handlers):
                return None
        failpoint("worker.before_claim")
        with self._database.write() as session:
            job = jobs.claim(session, self.owner, LEASE, self._handlers)
        failpoint("worker.after_claim")
        return job

    def _do(self, job: Job) -> None:
        if job.tries > MOST_ATTEMPTS:
            self._fail(job, "It was started too often without coming to an end.")
            return
        try:
            self._handlers[job.kind](job)
            with self._database.write() as session:
                jobs.finish_if_open(session, job)
        except LeaseLost as lost:
            log.warning("lease lost job=%d: %s", job.id, lost)
        except TryLater as later:
            self._retry(job, later.seconds, str(later), counts=False)
        except Exception as error:
            log.exception("job failed job=%d kind=%s attempt=%d", job.id, job.kind, job.attempt)
            if job.tries >= MOST_ATTEMPTS:
                self._fail(job, f"{type(error).__name__}: {error}")
            else:
                self._retry(job, 2.0**job.tries / 2, f"{type(error).__name__}: {error}")

    def _retry(self, job: Job, seconds: float, why: str, *, counts: bool = True) -> None:
        with self._database.write() as session:
            jobs.retry_later(session, job, timedelta(seconds=seconds), why, counts=counts)

    def _fail(self, job: Job, why: str) -> None:
        error_id = f"E-{secrets.token_hex(3).upper()}"
        log.error("job given up job=%d kind=%s error_id=%s", job.id, job.kind, error_id)
        try:
            self._give_up(job, error_id)
        except LeaseLost:
            return
        except Exception:
            log.exception("nobody could be told job=%d error_id=%s", job.id, error_id)
        with self._database.write() as session:
            jobs.fail(session, job, why, error_id)

    def _beat(self) -> None:
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            try:
                with self._database.write() as session:
                    with self._lock:  # after waiting to write: what has ended needs no lease
                        running = list(self._running.values())
                    for job in running:
                        self._renew(session, job)
            except SQLAlchemyError as error:
                log.warning("leases not renewed: %s", error)

    @staticmethod
    def _renew(session: Session, job: Job) -> None:
        try:
            jobs.renew(session, job, LEASE)
        except LeaseLost as error:
            log.warning("lease not renewed job=%d: %s", job.id, error)
