"""The one message to the admins that lives through a run, and the plot beneath it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.text import shortened
from bot.worker import TryLater
from storage import outbox
from storage.database import Database
from storage.jobs import Job

log = logging.getLogger(__name__)

#: How often the message is updated while a run goes on, in seconds.
REFRESH_SECONDS = 3.0

_SLACK_TROUBLE = (SlackBusy, SlackRefused, SlackUncertain)


@dataclass(frozen=True)
class RunMessages:
    """Opens the message of a run: in the admin channel, else to the admins directly."""

    database: Database
    calls: SlackCalls
    bot_user_id: str
    admin_channel: str
    admins: tuple[str, ...]

    def of(self, job: Job) -> RunMessage:
        """Return the message that this run job owes; nothing is posted yet."""
        channel = self.admin_channel or self._direct_channel()
        reply = None
        if channel:
            reply = Reply(
                calls=self.calls,
                database=self.database,
                job=job,
                purpose="run",
                place=Place(channel, None, "", ""),
                bot_user_id=self.bot_user_id,
                stream=False,
            )
        return RunMessage(self.database, self.calls, job, channel, reply)

    def _direct_channel(self) -> str:
        if not self.admins:
            log.warning("nobody hears of runs: the settings name no admin and no admin_channel")
            return ""
        try:
            opened = self.calls.call("conversations_open", users=",".join(self.admins))
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except (SlackRefused, SlackUncertain):
            log.exception("the admins cannot be written to")
            return ""
        return str(opened["channel"]["id"])


class RunMessage:
    """Shows how a run goes. Slack's troubles are logged and never stop it."""

    def __init__(
        self, database: Database, calls: SlackCalls, job: Job, channel: str, reply: Reply | None
    ) -> None:
        """Take the collaborators; without a `reply` nobody is told."""
        self._database = database
        self._calls = calls
        self._job = job
        self._channel = channel
        self._reply = reply
        self._next = 0.0
        self._is_open = False

    def progress(self, text: str) -> None:
        """Show how far the run is; called often, sent at most every few seconds."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REFRESH_SECONDS
        self._show(text)

    def finished(self, text: str, plot: Path | None) -> None:
        """Show how the run ended, with its plot in the thread."""
        ts = self._show(text)
        if plot is not None and ts is not None:
            self._attach(plot, ts)

    def _show(self, text: str) -> str | None:
        if self._reply is None:
            return None
        try:
            if not self._is_open:
                self._reply.open(None)
                self._is_open = True
            return self._reply.finish(shortened(text, 3_900), run_blocks(text))
        except _SLACK_TROUBLE as error:
            log.warning("run message not shown job=%d: %s", self._job.id, error)
        except PostedTooRecently as wait:
            self._next = time.monotonic() + wait.seconds
        return None

    def _attach(self, plot: Path, thread_ts: str) -> None:
        """Upload the plot, unless an earlier attempt did."""
        with self._database.write() as session:
            outbox.intend(session, self._job, "plot", self._channel, thread_ts)
        try:
            replies = self._calls.call(
                "conversations_replies", channel=self._channel, ts=thread_ts, limit=50
            )
            for message in replies.get("messages", []):
                if any(file.get("title") == plot.stem for file in message.get("files") or ()):
                    return
            self._calls.call(
                "files_upload_v2",
                channel=self._channel,
                thread_ts=thread_ts,
                file=str(plot),
                filename=plot.name,
                title=plot.stem,
                alt_txt="Base, champion and challenger compared on held-out pairs and probes",
            )
        except _SLACK_TROUBLE as error:
            log.warning("plot not shown job=%d: %s", self._job.id, error)


def run_blocks(text: str) -> list[dict[str, Any]]:
    """Return the run's message: its text, in sections that fit."""
    sections, rest = [], text
    while rest:
        cut = rest if len(rest) <= 2_900 else rest[: rest.rfind("\n", 0, 2_900) + 1] or rest[:2_900]
        sections.append({"type": "section", "text": {"type": "mrkdwn", "text": cut}})
        rest = rest[len(cut) :]
    return sections
