"""What a thread shows of the work, and the Stop button that ends it."""

from __future__ import annotations

import logging
import threading
import time

from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.worker import TryLater
from storage import stops
from storage.database import Database
from storage.jobs import Job
from storage.questions import Question

log = logging.getLogger(__name__)

#: How often SQL is asked whether Stop was pressed with another replica, in seconds.
LOOK_SECONDS = 1.0


class Sessions:
    """Slack's status line and agent session of each thread. Never worth failing for."""

    def __init__(self, database: Database, calls: SlackCalls) -> None:
        """Take the collaborators."""
        self._database = database
        self._calls = calls
        self._lock = threading.Lock()
        self._stopped: dict[tuple[str, str, str], float] = {}
        self._looked: dict[int, float] = {}

    def begin(self, question: Question, status: str) -> None:
        """Say that somebody is at work on a question."""
        with self._lock:
            self._stopped.pop((question.team_id, question.channel, question.thread_ts), None)
        self.status(question, status)
        self.mark(question, "processing")

    def status(self, question: Question, status: str) -> None:
        """Say what is being done."""
        if question.place in ("command", "shortcut"):
            return
        self._try(
            "assistant_threads_setStatus",
            channel_id=question.channel,
            thread_ts=question.thread_ts,
            status=status,
        )

    def end(self, question: Question) -> None:
        """Say that the work on a question has ended."""
        with self._lock:
            self._looked.pop(question.id, None)
        self.mark(question, "active")

    def mark(self, question: Question, state: str) -> None:
        """Mark a question's thread as `active`, `processing` or `suspended`."""
        if question.place not in ("command", "shortcut"):
            self._mark(question.channel, question.thread_ts, state)

    def stop_at_once(self, team_id: str, channel: str, thread_ts: str) -> None:
        """Take the press of Stop, as soon as it is committed."""
        with self._lock:
            self._stopped[team_id, channel, thread_ts] = time.monotonic()

    def is_stopped(self, question: Question) -> bool:
        """Whether Stop was pressed after the question was asked; quick, asked between tokens."""
        now = time.monotonic()
        with self._lock:
            if (question.team_id, question.channel, question.thread_ts) in self._stopped:
                return True
            if now < self._looked.get(question.id, 0.0) + LOOK_SECONDS:
                return False
            self._looked[question.id] = now
        with self._database.read() as session:
            return stops.is_stopped(session, question)

    def end_stopped(self, job: Job) -> None:
        """Do an `end_session` job: Slack leaves it to the app to change the status."""
        try:
            self._calls.call(
                "agents_sessions_setStatus",
                channel_id=str(job.payload["channel"]),
                thread_ts=str(job.payload["thread_ts"]),
                status="active",
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except (SlackRefused, SlackUncertain) as error:
            log.info("session not ended: %s", error)

    def _mark(self, channel: str, thread_ts: str, state: str) -> None:
        self._try(
            "agents_sessions_setStatus", channel_id=channel, thread_ts=thread_ts, status=state
        )

    def _try(self, method: str, **arguments: str) -> None:
        try:
            self._calls.call(method, **arguments)
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.debug("status not shown: %s", error)
