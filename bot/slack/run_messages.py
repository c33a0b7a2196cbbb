"""The one message to the admins that lives through a run, and the plot beneath it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.permissions import Permissions
from bot.slack import retrain_view
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.people import People
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.text import shortened
from bot.slack.words import Words, words
from bot.teams import team_in
from bot.worker import TryLater
from storage import outbox, runs
from storage.database import Database
from storage.jobs import Job
from storage.runs import Run
from training.retrain import Outcome

log = logging.getLogger(__name__)

#: How often the message is updated while a run goes on, in seconds.
REFRESH_SECONDS = 3.0

_SLACK_TROUBLE = (SlackBusy, SlackRefused, SlackUncertain)


@dataclass(frozen=True)
class RunMessages:
    """Opens the message of a run: in the admin channel, else to the admins directly."""

    database: Database
    calls: SlackCalls
    people: People
    bot_user_id: Callable[[str], str]
    admin_channel: str
    permissions: Permissions
    outcome_of: Callable[[Run], Outcome | None]

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
                bot_user_id=self.bot_user_id(self.calls.team_id),
                stream=False,
            )
        return RunMessage(
            database=self.database,
            calls=self.calls,
            people=self.people,
            job=job,
            channel=channel,
            reply=reply,
            outcome_of=self.outcome_of,
            first_admin=next(iter(self.permissions.admins), ""),
        )

    def _direct_channel(self) -> str:
        admins = self.permissions.admins
        if not admins:
            log.warning("nobody hears of runs: the settings name no admin and no admin_channel")
            return ""
        try:
            opened = self.calls.call("conversations_open", users=",".join(admins[:8]))
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except (SlackRefused, SlackUncertain):
            log.exception("the admins cannot be written to")
            return ""
        return str(opened["channel"]["id"])


class RunMessage:
    """Shows how a run goes. Slack's troubles are logged and never stop it."""

    def __init__(
        self,
        *,
        database: Database,
        calls: SlackCalls,
        people: People,
        job: Job,
        channel: str,
        reply: Reply | None,
        outcome_of: Callable[[Run], Outcome | None],
        first_admin: str,
    ) -> None:
        """Take the collaborators; without a `reply` nobody is told."""
        self._database = database
        self._calls = calls
        self._people = people
        self._job = job
        self._channel = channel
        self._reply = reply
        self._outcome_of = outcome_of
        self._first_admin = first_admin
        self._next = 0.0
        self._is_open = False
        self._stage = ""

    def progress(self, text: str) -> None:
        """Show how far the run is; called often, sent at once when a stage begins, else seldom."""
        stage = text.partition("\n")[2].partition("…")[0]
        if time.monotonic() < self._next and stage == self._stage:
            return
        self._stage = stage
        self._next = time.monotonic() + REFRESH_SECONDS
        self._show()

    def finished(self, _text: str, plot: Path | None) -> None:
        """Show how the run ended, with its plot in the thread."""
        ts = self._show()
        if plot is not None and ts is not None:
            run = self._run()
            say = self._words(run)
            self._attach(self._plot_in(say, plot, run), ts, run, say)

    def _plot_in(self, say: Words, plot: Path, run: Run) -> Path:
        """Return the plot in somebody's language; the run itself drew the English one."""
        outcome = self._outcome_of(run)
        if say.language == "en" or outcome is None:
            return plot
        told = plot.with_name(f"{plot.stem}.{say.language}{plot.suffix}")
        return told if told.exists() else outcome.report.plot(told, say.retold_name)

    def _show(self) -> str | None:
        if self._reply is None:
            return None
        run = self._run()
        say = self._words(run)
        outcome = None if run.is_open else self._outcome_of(run)
        try:
            if not self._is_open:
                self._reply.open(None)
                self._is_open = True
            text = retrain_view.run_text(run, say)
            return self._reply.finish(
                shortened(text, 3_900), retrain_view.run_blocks(run, outcome, say)
            )
        except _SLACK_TROUBLE as error:
            log.warning("run message not shown job=%d: %s", self._job.id, error)
        except PostedTooRecently as wait:
            self._next = time.monotonic() + wait.seconds
        return None

    def _run(self) -> Run:
        with self._database.read() as session:
            return runs.get(session, int(self._job.payload["run_id"]))

    def _words(self, run: Run) -> Words:
        """Return the language of who asked for the run; for the schedule, the first admin's."""
        is_here = run.requested_by.isupper() and not team_in(run.requested_by)
        reader = run.requested_by if is_here else self._first_admin
        return self._people.words(reader) if reader else words()

    def _attach(self, plot: Path, thread_ts: str, run: Run, say: Words) -> None:
        """Upload the plot, unless an earlier attempt did."""
        title = say("Run {id}: what was measured", id=run.id)
        with self._database.write() as session:
            outbox.intend(session, self._job, "plot", self._channel, thread_ts)
        try:
            replies = self._calls.call(
                "conversations_replies", channel=self._channel, ts=thread_ts, limit=50
            )
            for message in replies.get("messages", []):
                if any(file.get("title") == title for file in message.get("files") or ()):
                    return
            self._calls.call(
                "files_upload_v2",
                channel=self._channel,
                thread_ts=thread_ts,
                file=str(plot),
                filename=plot.name,
                title=title,
                alt_txt=say("Champion and challenger compared on held-out pairs and probes"),
            )
        except _SLACK_TROUBLE as error:
            log.warning("plot not shown job=%d: %s", self._job.id, error)
