"""Making approved pairs findable as verified answers, and revoked ones not."""

from __future__ import annotations

from datetime import timedelta

from bot.worker import Handler
from knowledge.verified import VerifiedAnswers
from storage import jobs, pairs
from storage.database import Database
from storage.jobs import Job

_OWNER = "command"


class Learning:
    """Does `learn_pair` and `unlearn_pair` jobs."""

    def __init__(self, database: Database, verified: VerifiedAnswers) -> None:
        """Take the collaborators."""
        self._database = database
        self._verified = verified

    @property
    def handlers(self) -> dict[str, Handler]:
        """The jobs done here, by kind."""
        return {"learn_pair": self.settle, "unlearn_pair": self.settle}

    def settle(self, job: Job) -> None:
        """Make a pair findable if it is approved, and unfindable if it is not (any more)."""
        with self._database.read() as session:
            pair = pairs.get(session, int(job.payload["pair_id"]))
        if pair.state == "approved":
            self._verified.index(pair.id, pair.input, pair.audience)
        else:
            self._verified.remove(pair.id)

    def reconcile(self) -> int:
        """Bring the index of verified answers in step with SQL. Return how many were not."""
        with self._database.read() as session:
            approved = pairs.approved_questions(session)
        return self._verified.reconcile(approved)

    def catch_up(self) -> None:
        """Do the waiting jobs in this thread; for commands, when no bot runs."""
        while True:
            with self._database.write() as session:
                job = jobs.claim(session, _OWNER, timedelta(seconds=60), self.handlers)
            if job is None:
                return
            self.settle(job)
            with self._database.write() as session:
                jobs.finish(session, job)
