"""The first thing that happens to an event: it is committed, with its work, before Slack is told.

Bolt acknowledges an event before its listener runs, so a listener is too late: a process killed
in between would lose the question. This is a global middleware, which runs before. When the
database cannot be written it raises, nothing is acknowledged, and Slack sends the event again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import BoltContext, BoltResponse

from bot.slack.incoming import message_in, opened_home_of
from storage import inbox, jobs, questions
from storage.database import Database
from storage.failpoints import failpoint

log = logging.getLogger(__name__)


class Inbox:
    """The global middleware that accepts events."""

    def __init__(self, database: Database, wake_workers: Callable[[], None]) -> None:
        """Take the database, and what to call when there is new work."""
        self._database = database
        self._wake_workers = wake_workers

    def __call__(
        self, body: Mapping[str, Any], context: BoltContext, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        """Accept an event and answer 200; let everything else go on to its listener."""
        if body.get("type") != "event_callback":
            return next()
        failpoint("inbox.before_commit")
        if self._accept(body, context.bot_user_id or ""):
            self._wake_workers()
        failpoint("inbox.after_commit")
        return BoltResponse(status=200, body="")

    def _accept(self, body: Mapping[str, Any], bot_user_id: str) -> bool:
        message = message_in(body, bot_user_id)
        home_of = opened_home_of(body)
        if message is None and home_of is None:
            return False
        team_id = str(body.get("team_id") or "")
        with self._database.write() as session:
            if message is not None and message.place == "thread":
                ours = questions.is_our_thread(
                    session, message.team_id, message.channel, message.thread_ts
                )
                if not ours:
                    return False
            inbox_id = inbox.accept(session, str(body["event_id"]), "event", team_id, body)
            if inbox_id is None:
                return False
            if message is None:
                jobs.enqueue(session, "publish_home", {"user_id": home_of}, inbox_id=inbox_id)
                return True
            question_id = questions.record(
                session,
                team_id=message.team_id,
                channel=message.channel,
                ts=message.ts,
                thread_ts=message.thread_ts,
                user_id=message.user_id,
                place=message.place,
                text=message.text,
            )
            if question_id is None:
                return False
            jobs.enqueue(
                session,
                "answer",
                {"question_id": question_id},
                key=f"answer:{question_id}",
                inbox_id=inbox_id,
            )
        log.info("question accepted id=%d place=%s", question_id, message.place)
        return True
