"""One message in a thread that grows as the answer comes, and stands there exactly once.

It is streamed where Slack can do that, and else posted once and updated. Either way the message
is opened under the outbox protocol: the intent is committed, the message is posted, its `ts` is
committed. If the process dies in between, the next attempt looks for the message in the thread
and adopts it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.slack.calls import (
    REQUEST_TIMEOUT_SECONDS,
    SlackBusy,
    SlackCalls,
    SlackRefused,
    SlackUncertain,
)
from bot.slack.markdown import fitting_markdown
from bot.slack.text import safe_mrkdwn, shortened
from storage import outbox
from storage.clock import utc_now
from storage.database import Database
from storage.failpoints import failpoint
from storage.jobs import Job
from storage.outbox import OutboxMessage

log = logging.getLogger(__name__)

#: Slack takes 100 appends a minute to streams, and 50 updates a minute of messages.
APPEND_SECONDS = 60 / 100
UPDATE_SECONDS = 60 / 50

METADATA_EVENT = "skredder_message"


@dataclass(frozen=True)
class Place:
    """Where a message belongs. `recipient` and `team_id` are what streams in channels need."""

    channel: str
    thread_ts: str | None
    recipient: str
    team_id: str


class PostedTooRecently(Exception):
    """A post of unknown fate may still arrive; look again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        """Take how long to wait, in seconds."""
        super().__init__(f"A message of unknown fate may still arrive; waiting {seconds:.1f} s.")
        self.seconds = seconds


class Reply:
    """A message owed by a job; see the module's words."""

    def __init__(
        self,
        *,
        calls: SlackCalls,
        database: Database,
        job: Job,
        purpose: str,
        place: Place,
        bot_user_id: str,
        stream: bool,
    ) -> None:
        """Take the collaborators; nothing is sent yet.

        Args:
            calls: Slack.
            database: Where the outbox is.
            job: The job that owes the message.
            purpose: Which of the job's messages this is.
            place: Where it belongs.
            bot_user_id: Who we are, to recognise our own messages.
            stream: Whether to try Slack's streaming.
        """
        self._calls = calls
        self._database = database
        self._job = job
        self._purpose = purpose
        self._place = place
        self._bot_user_id = bot_user_id
        self._wants_stream = stream and place.thread_ts is not None
        self._message: OutboxMessage | None = None
        self._is_streaming = False
        self._details: dict[str, Any] = {}
        self._shown = ""
        self._pending = ""
        self._next_send = 0.0

    @property
    def ts(self) -> str | None:
        """The message's `ts`, once it stands in the thread."""
        return self._message.ts if self._message else None

    def open(self, placeholder: str | None) -> None:
        """Make sure the message will exist exactly once.

        With streaming, or without a `placeholder`, nothing is shown before the first text.

        Raises:
            LeaseLost: another worker has the job.
            PostedTooRecently: an earlier attempt's post may still be on its way.
            SlackBusy, SlackRefused, SlackUncertain: as Slack says.
        """
        with self._database.write() as session:
            message = outbox.intend(
                session, self._job, self._purpose, self._place.channel, self._place.thread_ts
            )
        if message.ts is not None:
            self._message = message
        if message.ts is not None or (not message.is_new and self._adopt(message)):
            self._stop_stream()
            return
        self._message = message
        if placeholder and not self._wants_stream:
            self._post(placeholder)

    def message_as(self, ts: str) -> OutboxMessage:
        """Return the outbox's row of this message, for the transaction that ends the job."""
        assert self._message is not None
        return replace(self._message, ts=ts)

    @property
    def text(self) -> str:
        """What has been written so far, shown already or about to be."""
        return self._shown + self._pending

    def append(self, text: str) -> None:
        """Show more of the answer; pieces are gathered so that Slack's limits hold.

        What Slack will not take now is kept for later: only `finish` has to succeed.
        """
        self._pending += text
        if time.monotonic() < self._next_send:
            return
        try:
            self._send_pending()
        except SlackBusy as busy:
            self._next_send = time.monotonic() + busy.seconds
        except SlackRefused as refused:
            log.warning("stream abandoned job=%d code=%s", self._job.id, refused.code)
            self._is_streaming = False
        except SlackUncertain:
            if self.ts is None:
                raise
            self._next_send = time.monotonic() + UPDATE_SECONDS

    def finish(
        self, text: str, blocks: list[dict[str, Any]], details: dict[str, Any] | None = None
    ) -> str:
        """Show the whole answer with its blocks. Safe to repeat. Returns the message's `ts`.

        Args:
            text: What notifications show.
            blocks: The message.
            details: What its metadata says beside whose job it is.

        Raises:
            LeaseLost, SlackBusy, SlackRefused, SlackUncertain: nothing is lost, try again.
        """
        self._details = details or {}
        if self.ts is None:
            self._post(text, blocks)
        else:
            self._stop_stream()
            try:
                self._calls.call(
                    "chat_update",
                    channel=self._place.channel,
                    ts=self.ts,
                    text=text,
                    blocks=blocks,
                    metadata=self._metadata(),
                )
            except SlackRefused as refused:
                if refused.code != "message_not_found":
                    raise
                # Somebody deleted the message while it grew; whoever asked still gets an answer.
                self._post(text, blocks)
        assert self.ts is not None
        return self.ts

    def _send_pending(self) -> None:
        if not self._pending.strip():
            return
        text = fitting_markdown(self._pending)
        if self.ts is None:
            self._start_stream(text)
        elif self._is_streaming:
            self._calls.call(
                "chat_appendStream", channel=self._place.channel, ts=self.ts, markdown_text=text
            )
        else:
            whole = self._shown + self._pending
            self._calls.call(
                "chat_update",
                channel=self._place.channel,
                ts=self.ts,
                text=shortened(safe_mrkdwn(whole), 3_900),
                metadata=self._metadata(),
            )
        self._shown += self._pending
        self._pending = ""
        self._next_send = time.monotonic() + (
            APPEND_SECONDS if self._is_streaming else UPDATE_SECONDS
        )
        failpoint("reply.after_text")

    def _start_stream(self, text: str) -> None:
        assert self._message is not None
        try:
            failpoint("reply.before_post")
            started = self._calls.call(
                "chat_startStream",
                channel=self._place.channel,
                thread_ts=self._place.thread_ts,
                recipient_user_id=self._place.recipient,
                recipient_team_id=self._place.team_id,
                markdown_text=text,
            )
        except SlackRefused as refused:
            log.info("no streaming here job=%d code=%s", self._job.id, refused.code)
            self._wants_stream = False
            self._post(text)
            return
        failpoint("reply.after_post")
        self._is_streaming = True
        self._stands(str(started["ts"]))

    def _post(self, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
        assert self._message is not None
        failpoint("reply.before_post")
        arguments: dict[str, Any] = {
            "channel": self._place.channel,
            "text": text,
            "metadata": self._metadata(),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if self._place.thread_ts:
            arguments["thread_ts"] = self._place.thread_ts
        if blocks:
            arguments["blocks"] = blocks
        posted = self._calls.call("chat_postMessage", **arguments)
        failpoint("reply.after_post")
        self._stands(str(posted["ts"]))

    def _stands(self, ts: str) -> None:
        assert self._message is not None
        with self._database.write() as session:
            self._message = outbox.posted(session, self._job, self._message, ts)

    def _stop_stream(self) -> None:
        """End the stream if it runs; one that has ended by itself is just as good."""
        if not self._wants_stream:
            return
        try:
            self._calls.call("chat_stopStream", channel=self._place.channel, ts=self.ts)
        except SlackRefused as refused:
            log.debug("stream had ended job=%d code=%s", self._job.id, refused.code)
        self._is_streaming = False
        self._wants_stream = False

    def _adopt(self, message: OutboxMessage) -> bool:
        """Find the message that an earlier attempt posted without living to note its `ts`."""
        age = (utc_now() - message.updated_at) / timedelta(seconds=1)
        if age < REQUEST_TIMEOUT_SECONDS:
            raise PostedTooRecently(REQUEST_TIMEOUT_SECONDS - age)
        with self._database.read() as session:
            known = outbox.known_timestamps(session, self._place.channel)
        for found in self._recent_messages():
            if found.get("ts") in known or found.get("user") != self._bot_user_id:
                continue
            payload = (found.get("metadata") or {}).get("event_payload")
            # A stream that was cut off has no metadata yet: in this thread, by us, known to no
            # other job, it can only be ours.
            is_orphan = payload is None and self._place.thread_ts is not None
            if is_orphan or (payload or {}).get("job") == self._key:
                self._message = message
                self._stands(str(found["ts"]))
                log.info("message adopted job=%d ts=%s", self._job.id, found["ts"])
                return True
        return False

    def _recent_messages(self) -> list[dict[str, Any]]:
        if self._place.thread_ts:
            answer = self._calls.call(
                "conversations_replies",
                channel=self._place.channel,
                ts=self._place.thread_ts,
                include_all_metadata=True,
                limit=200,
            )
        else:
            answer = self._calls.call(
                "conversations_history",
                channel=self._place.channel,
                include_all_metadata=True,
                limit=50,
            )
        return list(answer.get("messages") or [])

    @property
    def _key(self) -> str:
        return f"{self._job.id}:{self._purpose}"

    def _metadata(self) -> dict[str, Any]:
        payload = {"job": self._key, **self._details}
        return {"event_type": METADATA_EVENT, "event_payload": payload}
