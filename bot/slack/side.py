"""Everything that makes an installation answer in one Slack workspace."""

from __future__ import annotations

import logging

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.answering import Answering
from bot.audiences import Audiences
from bot.corrections import Corrections
from bot.permissions import Permissions
from bot.retraining import Retrainings
from bot.settings import Settings
from bot.slack.app_home import AppHome
from bot.slack.bolt_app import build_bolt_app
from bot.slack.calls import SlackCalls
from bot.slack.feedback import Feedback
from bot.slack.inbox import Inbox
from bot.slack.pair_messages import PairMessages
from bot.slack.questions import QuestionJobs
from bot.slack.retrain_command import RetrainCommand
from bot.slack.run_messages import RunMessages
from bot.worker import Handler, Workers
from storage import jobs, workspaces
from storage.database import Database
from storage.jobs import Job
from storage.workspaces import SlackWorkspace

log = logging.getLogger(__name__)


class SlackSide:
    """The listeners and the jobs that need Slack."""

    def __init__(
        self,
        *,
        settings: Settings,
        client: WebClient,
        app_token: str,
        database: Database,
        answering: Answering,
        corrections: Corrections,
        permissions: Permissions,
        retrainings: Retrainings,
        learning: dict[str, Handler],
    ) -> None:
        """Meet Slack (`auth.test`) and wire the listeners; `start` begins.

        Args:
            settings: The settings.
            client: Slack, from `new_client`.
            app_token: The token for Socket Mode.
            database: The truth.
            answering: Answers questions.
            corrections: Takes corrections.
            permissions: Who may do what.
            retrainings: Starts runs and moves versions.
            learning: The jobs that need no Slack, by kind.
        """
        self.calls = calls = SlackCalls(client)
        me = calls.call("auth_test")
        self._bot_user_id = str(me["user_id"])
        with database.write() as session:
            workspaces.remember(
                session, SlackWorkspace(me["team_id"], me.get("team", ""), self._bot_user_id)
            )
        self._database = database
        question_jobs = QuestionJobs(
            database=database,
            answering=answering,
            calls=calls,
            audiences=Audiences(settings.knowledge.audiences),
            bot_user_id=self._bot_user_id,
            stream=settings.slack.stream,
        )
        pair_messages = PairMessages(database, calls, self._bot_user_id)
        home = AppHome(
            settings.company.name,
            database,
            calls,
            permissions,
            corrections,
            retrainings,
            self.wake,
        )
        run_messages = RunMessages(
            database, calls, self._bot_user_id, settings.slack.admin_channel, permissions.admins
        )
        self._give_ups = {"answer": question_jobs.give_up}
        self._workers = Workers(
            name="answers",
            database=database,
            handlers={
                "answer": question_jobs.answer,
                "tell_asker": pair_messages.tell_asker,
                "publish_home": home.publish,
                **learning,
            },
            give_up=self._give_up,
            threads=settings.model.concurrent,
        )
        self._retrainer = Workers(
            name="retraining",
            database=database,
            handlers={"retrain": lambda job: retrainings.run(job, run_messages.of(job))},
            give_up=retrainings.give_up,
            threads=1,
        )
        retrainings.stops_when(lambda: self._retrainer.is_stopping)
        self._app = build_bolt_app(
            client,
            Inbox(database, self.wake),
            (
                Feedback(database, calls, corrections, self.wake),
                RetrainCommand(permissions, retrainings),
                home,
            ),
        )
        self._socket = SocketModeHandler(self._app, app_token)

    def start(self) -> None:
        """Take up unfinished work, then connect to Slack."""
        self._workers.start()
        self._retrainer.start()
        self._socket.connect()  # type: ignore[no-untyped-call]
        log.info("connected to Slack as %s", self._bot_user_id)

    def stop(self) -> None:
        """Hear no more, finish what runs, give back the rest."""
        self._socket.close()  # type: ignore[no-untyped-call]
        self._workers.stop()
        self._retrainer.stop(60)

    def wake(self) -> None:
        """Look for work now."""
        self._workers.wake()
        self._retrainer.wake()

    def _give_up(self, job: Job, error_id: str) -> None:
        tell = self._give_ups.get(job.kind)
        if tell is not None:
            tell(job, error_id)


def free_jobs_of_the_dead(database: Database) -> None:
    """Free jobs that were running when the last process ended.

    Only where one process owns the database (SQLite in an owned home); elsewhere the leases
    run out by themselves.
    """
    if database.is_sqlite:
        with database.write() as session:
            count = jobs.release_all_but(session, "nobody")
        if count:
            log.info("unfinished jobs taken up count=%d", count)
