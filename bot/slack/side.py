"""Everything that makes an installation answer in one Slack workspace."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.answering import Answering, Outcome
from bot.audiences import Audiences
from bot.corrections import Corrections
from bot.inference.language_model import MOST_AT_ONCE
from bot.permissions import Permissions
from bot.retraining import Retrainings
from bot.run_plan import Plan, plan_run
from bot.schedule import RetrainSchedule
from bot.settings import Settings
from bot.slack.app_home import AppHome
from bot.slack.asking import Asking, AskingJobs
from bot.slack.bolt_app import build_bolt_app
from bot.slack.calls import SlackCalls
from bot.slack.channels import Channels
from bot.slack.feedback import Feedback
from bot.slack.groups import UserGroups
from bot.slack.guard import Guard
from bot.slack.http_server import HttpSecrets, HttpServer
from bot.slack.inbox import Inbox
from bot.slack.installations import Installations, Installed
from bot.slack.lesson_messages import LessonMessages
from bot.slack.pair_messages import PairMessages
from bot.slack.people import People
from bot.slack.questions import QuestionJobs, RateLimits
from bot.slack.retrain_command import RetrainCommand
from bot.slack.run_messages import RunMessages
from bot.slack.score_messages import ScoreMessages
from bot.slack.sessions import Sessions
from bot.slack.threads import GoodReplies, Threads
from bot.teams import Teams
from bot.training_parts import recipe_of
from bot.worker import Handler, Workers
from storage import jobs, questions, workspaces
from storage.database import Database
from storage.jobs import Job
from storage.workspaces import SlackWorkspace

log = logging.getLogger(__name__)

#: How many days back unanswered questions are gathered into gaps.
GAP_DAYS = 90
MOST_GAPS = 6

#: So many questions more have a thread each while they wait in the engine's line, where askers take
#: turns and see their place. What comes beyond them waits in SQL, in the order it came.
WAITING = 64

#: How often a socket is looked at; one that is dead is replaced after four times that.
PING_SECONDS = 3.0


class SlackSide:
    """The listeners and the jobs that need Slack."""

    def __init__(
        self,
        *,
        settings: Settings,
        client: WebClient,
        app_token: str,
        http: HttpSecrets | None,
        database: Database,
        answering: Answering,
        corrections: Corrections,
        permissions: Permissions,
        retrainings: Retrainings,
        schedule: RetrainSchedule,
        gaps: Callable[[int, int, tuple[str, ...]], list[dict[str, Any]]],
        answer_unaided: Callable[[str], Outcome],
        learning: dict[str, Handler],
    ) -> None:
        """Meet Slack (`auth.test`) and wire the listeners; `start` begins.

        Args:
            settings: The settings.
            client: Slack, from `new_client`.
            app_token: The token for Socket Mode.
            http: The secrets for HTTP mode; None for Socket Mode.
            database: The truth.
            answering: Answers questions.
            corrections: Takes corrections.
            permissions: Who may do what.
            retrainings: Starts runs and moves versions.
            schedule: When it is looked whether to train.
            gaps: Groups what was not answered in so many days, at most so many, in workspaces.
            answer_unaided: Answers without verified answers, to see what a version has learned.
            learning: The jobs that need no Slack, by kind.
        """
        self._settings = settings
        self._database = database
        self._answering = answering
        self._retrainings = retrainings
        self._bots: dict[str, str] = {}
        self._home_team = ""
        self._teams = teams = Teams(self.home_team)
        self._installations = (
            Installations(database.url.render_as_string(hide_password=False), http, _scopes())
            if http is not None and http.has_oauth
            else None
        )
        if self._installations is None:
            self.calls = calls = SlackCalls(client)
            me = calls.call_patiently("auth_test")
            self._meet(Installed(str(me["team_id"]), me.get("team", ""), str(me["user_id"])))
        else:
            self.calls = calls = SlackCalls(client, self._installations.token_of)
            for installed in self._installations.listed():
                self._meet(installed)
        people, channels = People(calls), Channels(calls)
        sessions = Sessions(database, calls)
        self._audiences = audiences = Audiences(settings.knowledge.audiences, self.home_team)
        permissions.ask_groups_of(UserGroups(calls, teams).members_of)
        corrections.tell_apart(teams)
        self.guard = guard = Guard(permissions, people, calls, teams)
        self.question_jobs = question_jobs = QuestionJobs(
            database=database,
            answering=answering,
            calls=calls,
            audiences=audiences,
            people=people,
            channels=channels,
            sessions=sessions,
            limits=RateLimits(
                settings.slack.questions_per_minute, settings.slack.channel_questions_per_minute
            ),
            bot_user_id=self.bot_user_id,
            stream=settings.slack.stream,
        )
        pair_messages = PairMessages(
            database, calls, people, permissions, sessions, self.bot_user_id
        )

        def audience_of(channel: str, team_id: str) -> str:
            facts = channels.facts(channel)
            # A place that the bot is not in (any more) is a private one: it sees all others.
            is_private = facts.is_private or not facts.is_seen
            return audiences.of_pairs(channel, is_private=is_private, team_id=team_id)

        threads = Threads(
            database,
            calls,
            guard,
            people,
            permissions,
            corrections,
            self.bot_user_id,
            audience_of,
            self.wake,
        )
        replies = GoodReplies(
            database,
            calls,
            guard,
            people,
            corrections,
            audience_of,
            self.bot_user_id,
            self.wake,
        )
        asking_jobs = AskingJobs(
            database,
            calls,
            guard,
            people,
            channels,
            audiences,
            settings.slack.suggested_questions,
            self.bot_user_id,
        )
        home = AppHome(
            settings.company.name,
            database,
            calls,
            guard,
            people,
            permissions,
            corrections,
            retrainings,
            schedule,
            self.plan,
            lambda teams: gaps(GAP_DAYS, MOST_GAPS, teams),
            self.wake,
        )
        self._run_messages = RunMessages(
            database,
            calls,
            people,
            self.bot_user_id,
            settings.slack.admin_channel,
            permissions,
            retrainings.outcome,
        )
        lesson_messages = LessonMessages(database, calls, people, answer_unaided, self.bot_user_id)
        score_messages = ScoreMessages(database, calls, people, retrainings.scores_over_time)
        self._give_ups = {"answer": question_jobs.give_up}
        handlers: dict[str, Handler] = {
            "answer": question_jobs.answer,
            "refresh_answer": question_jobs.refresh,
            "hear_reply": threads.hear,
            "adopt_reply": replies.adopt,
            "tell_asker": pair_messages.tell_asker,
            "hand_over": pair_messages.hand_over,
            "tell_answered": pair_messages.tell_answered,
            "refresh_handover": pair_messages.refresh_handover,
            "share_answer": asking_jobs.share,
            "suggest_questions": asking_jobs.suggest,
            "end_session": sessions.end_stopped,
            "publish_home": home.publish,
            "export_pairs": home.send_export,
            "send_scores": score_messages.send,
            "tell_lesson": lesson_messages.tell,
        }
        self._workers = Workers(
            name="answers",
            database=database,
            handlers={
                **{kind: self._in_its_workspace(do) for kind, do in handlers.items()},
                **learning,
            },
            give_up=self._give_up,
            threads=(settings.model.concurrent or MOST_AT_ONCE) + WAITING,
        )
        self._retrainer = Workers(
            name="retraining",
            database=database,
            handlers={"retrain": self._retrain},
            give_up=retrainings.give_up,
            threads=1,
        )
        retrainings.stops_when(lambda: self._retrainer.is_stopping)
        self.app = build_bolt_app(
            client,
            Inbox(database, self.wake, sessions.stop_at_once, self._forget),
            guard,
            (
                Feedback(database, calls, guard, people, corrections, audience_of, self.wake),
                Asking(database, guard, people, permissions, self.wake),
                RetrainCommand(
                    guard, people, retrainings, schedule, self.plan, score_messages, self.wake
                ),
                home,
            ),
            **self._of_the_app(http),
        )
        self._way_in: SocketModeHandler | HttpServer
        if http is None:
            self._way_in = SocketModeHandler(self.app, app_token, ping_interval=PING_SECONDS)
        else:
            self._way_in = HttpServer(self.app, http, settings.slack.host, settings.slack.port)

    def bot_user_id(self, team_id: str) -> str:
        """Return who the bot is in a workspace; where there is only one, in that."""
        return self._bots.get(team_id) or next(iter(self._bots.values()), "")

    def home_team(self) -> str:
        """Return the workspace whose documents `everyone` are: the first one that was ever met.

        It stays that one when the app is removed from it: what is for everyone must not be told
        to the next one instead.
        """
        return self._home_team

    @property
    def port(self) -> int:
        """The port that is listened on in HTTP mode; 0 in Socket Mode."""
        return self._way_in.port if isinstance(self._way_in, HttpServer) else 0

    def _meet(self, installed: Installed) -> None:
        """Remember a workspace and who the bot is in it."""
        self._bots[installed.team_id] = installed.bot_user_id
        with self._database.write() as session:
            workspaces.remember(
                session,
                SlackWorkspace(installed.team_id, installed.name, installed.bot_user_id),
            )
            first = workspaces.all_of_them(session)[0].team_id
        # With a token of its own there is one workspace, whatever was met in earlier times.
        self._home_team = first if self._installations is not None else installed.team_id

    def _forget(self, team_id: str) -> None:
        """Forget the tokens of a workspace that has removed the app, and who the bot was there."""
        if self._installations is not None:
            self._installations.forget(team_id)
            self._bots.pop(team_id, None)
            log.info("the app was removed team=%s", team_id)

    def _of_the_app(self, http: HttpSecrets | None) -> dict[str, Any]:
        """Return what Bolt needs beside the listeners."""
        if http is None:
            return {}
        of_the_app: dict[str, Any] = {"signing_secret": http.signing_secret}
        if self._installations is not None:
            of_the_app["oauth_settings"] = self._installations.settings(self._meet)
        return of_the_app

    def plan(self) -> Plan:
        """Return what a run would take if it began now."""
        settings = self._settings
        return plan_run(
            self._database,
            settings.training,
            recipe_of(settings.training),
            settings.knowledge.context_tokens,
        )

    def start(self) -> None:
        """Take up unfinished work, then connect to Slack."""
        self._workers.start()
        self._retrainer.start()
        if isinstance(self._way_in, HttpServer):
            self._way_in.start()
        else:
            self._way_in.connect()  # type: ignore[no-untyped-call]
        log.info("connected to Slack as %s", ", ".join(self._bots.values()))

    def stop(self) -> None:
        """Hear no more, finish what runs, give back the rest."""
        if isinstance(self._way_in, HttpServer):
            self._way_in.stop()
        else:
            self._way_in.close()  # type: ignore[no-untyped-call]
        self._workers.stop()
        self._retrainer.stop(60)
        if self._installations is not None:
            self._installations.close()

    def wake(self) -> None:
        """Look for work now."""
        self._workers.wake()
        self._retrainer.wake()

    def _in_its_workspace(self, handler: Handler) -> Handler:
        """Have a job's calls speak for the workspace that it belongs to."""

        def handle(job: Job) -> None:
            team_id = str(job.payload.get("team_id") or "")
            if not team_id and "question_id" in job.payload:
                with self._database.read() as session:
                    team_id = questions.get(session, int(job.payload["question_id"])).team_id
            with self.calls.acting_for(team_id or self.home_team()):
                handler(job)

        return handle

    def _retrain(self, job: Job) -> None:
        with self.calls.acting_for(self.home_team()):
            self._retrainings.run(job, self._run_messages.of(job))
        self.wake()  # whoever taught the new version is to be told

    def _give_up(self, job: Job, error_id: str) -> None:
        tell = self._give_ups.get(job.kind)
        if tell is not None:
            self._in_its_workspace(lambda job: tell(job, error_id))(job)


def _scopes() -> list[str]:
    """Return what the app asks for, as its manifest says."""
    manifest = json.loads((files("bot.slack") / "manifest.json").read_text("utf-8"))
    return list(manifest["oauth_config"]["scopes"]["bot"])


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
