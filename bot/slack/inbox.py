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
from sqlalchemy.orm import Session

from bot.permissions import Action
from bot.slack.incoming import IncomingMessage, message_in
from storage import inbox, jobs, questions, stops
from storage.database import Database
from storage.failpoints import failpoint

log = logging.getLogger(__name__)

#: The reaction with which an expert makes a colleague's reply an answer.
GOOD_REPLY = "white_check_mark"

#: Every kind of event that is heard, with what somebody must be allowed to do for it. Whether
#: they are is asked where the work is done, which is after Slack has been answered.
HEARD: dict[str, Action] = {
    "message": "ask",
    "app_mention": "ask",
    "app_home_opened": "open the home tab",
    "reaction_added": "propose a correction",
    "agent_session_stopped": "stop an answer",
    "app_uninstalled": "leave a workspace",
    "tokens_revoked": "leave a workspace",
}

Event = Mapping[str, Any]


class Inbox:
    """The global middleware that accepts events."""

    def __init__(
        self,
        database: Database,
        wake_workers: Callable[[], None],
        stop_at_once: Callable[[str, str, str], None] = lambda _team, _channel, _thread: None,
        forget: Callable[[str], None] = lambda _team: None,
    ) -> None:
        """Take the collaborators.

        Args:
            database: Where events and their jobs are committed.
            wake_workers: Called when there is new work.
            stop_at_once: Called with workspace, channel and thread when somebody presses Stop.
            forget: Called with a workspace that the app was removed from, or whose token is gone.
        """
        self._database = database
        self._wake_workers = wake_workers
        self._stop_at_once = stop_at_once
        self._forget = forget

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
        event: Event = body.get("event") or {}
        kind = event.get("type")
        if kind not in HEARD:
            return False
        team_id = str(body.get("team_id") or "")
        if HEARD[kind] == "leave a workspace":
            # The tokens of people are none of ours; without the bot's there is no way back in.
            if kind == "app_uninstalled" or (event.get("tokens") or {}).get("bot"):
                self._forget(team_id)
            return False
        if kind == "agent_session_stopped":
            return self._stop(body, event, team_id)
        if kind in ("message", "app_mention"):
            message = message_in(body, bot_user_id)
            return message is not None and self._hear(body, message)
        return self._enqueue(body, _quick_job(event, bot_user_id), team_id)

    def _enqueue(
        self, body: Mapping[str, Any], job: tuple[str, dict[str, Any]] | None, team_id: str
    ) -> bool:
        if job is None:
            return False
        with self._database.write() as session:
            inbox_id = inbox.accept(session, str(body["event_id"]), "event", team_id, body)
            if inbox_id is None:
                return False
            name, payload = job
            payload |= {"team_id": team_id}
            jobs.enqueue(session, name, payload, inbox_id=inbox_id)
        return True

    def _hear(self, body: Mapping[str, Any], message: IncomingMessage) -> bool:
        with self._database.write() as session:
            if message.place == "thread" and not questions.is_our_thread(
                session, message.team_id, message.channel, message.thread_ts
            ):
                return False
            inbox_id = inbox.accept(session, str(body["event_id"]), "event", message.team_id, body)
            if inbox_id is None:
                return False
            if message.place == "thread":
                # Whether it is meant for the bot takes a look at the thread, which takes a call.
                key = f"heard:{message.team_id}:{message.channel}:{message.ts}"
                where = {"team_id": message.team_id}
                made = jobs.enqueue(session, "hear_reply", where, key=key, inbox_id=inbox_id)
                return made is not None
            return ask(session, message, inbox_id) is not None

    def _stop(self, body: Mapping[str, Any], event: Event, team_id: str) -> bool:
        channel, thread = str(event.get("channel") or ""), str(event.get("thread_ts") or "")
        with self._database.write() as session:
            inbox_id = inbox.accept(session, str(body["event_id"]), "event", team_id, body)
            if inbox_id is None:
                return False
            stops.press(session, team_id, channel, thread, str(event.get("user") or ""))
            payload = {"channel": channel, "thread_ts": thread, "team_id": team_id}
            jobs.enqueue(session, "end_session", payload, inbox_id=inbox_id)
        self._stop_at_once(team_id, channel, thread)
        return True


def ask(session: Session, message: IncomingMessage, inbox_id: int) -> int | None:
    """Record a question with the job of answering it; None when this message is one already."""
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
        return None
    jobs.enqueue(
        session,
        "answer",
        {"question_id": question_id},
        key=f"answer:{question_id}",
        inbox_id=inbox_id,
    )
    log.info("question accepted id=%d place=%s", question_id, message.place)
    return question_id


def _quick_job(event: Event, bot_user_id: str) -> tuple[str, dict[str, Any]] | None:
    """Return the job that an event asks for at once, or None if it asks for nothing."""
    user = event.get("user")
    if not user or user == bot_user_id:
        return None
    if event.get("type") == "app_home_opened":
        if event.get("tab", "home") == "home":
            return "publish_home", {"user_id": str(user)}
        return "suggest_questions", {"user_id": str(user), "channel": str(event.get("channel"))}
    item = event.get("item") or {}
    if event.get("reaction") != GOOD_REPLY or item.get("type") != "message":
        return None
    return "adopt_reply", {
        "user_id": str(user),
        "channel": str(item.get("channel")),
        "ts": str(item.get("ts")),
    }
