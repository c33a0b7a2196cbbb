"""App Home: shown anew when it is opened, and its buttons."""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import Ack, App

from bot.channel_choices import channel_scope
from bot.corrections import Corrections
from bot.permissions import Permissions
from bot.retraining import Retrainings, RetrainRefused
from bot.run_plan import Plan
from bot.schedule import RetrainSchedule
from bot.slack import channel_form, home_facts
from bot.slack.answers_plot import draw_days
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.guard import Body, Guard, team_of, user_of
from bot.slack.home_view import (
    APPROVE,
    BOTH_RIGHT,
    CHANNEL_SETTINGS,
    CONFIRM,
    EXPORT,
    NEWER_RIGHT,
    OLDER_RIGHT,
    REJECT,
    RETRAIN,
    REVOKE,
    ROLL_BACK,
    home_view,
)
from bot.slack.people import People
from bot.slack.words import Words
from bot.worker import TryLater
from storage import by_workspace, choices, jobs, pairs
from storage.database import Database
from storage.jobs import Job
from storage.overview import Day, overview
from storage.pairs import PairChangeRefused
from training.pair_files import write_pairs

log = logging.getLogger(__name__)

#: How many days the plot shows.
DAYS = 28

#: How many pictures are remembered: one for each language and workspace that looks.
MOST_PLOTS = 20

_SLACK_TROUBLE = (SlackBusy, SlackRefused, SlackUncertain)


class SlowFacts:
    """What App Home shows when it is ready: the picture of each kind, and the gaps."""

    def __init__(self) -> None:
        """Begin without anything."""
        #: By workspace.
        self.gaps: dict[str, tuple[home_facts.Gap, ...]] = {}
        self._plots: dict[str, str] = {}
        self._lock = threading.Lock()

    def plot(self, key: str) -> str:
        """Return the id of a picture at Slack; empty while there is none."""
        with self._lock:
            return self._plots.get(key, "")

    def keep_plot(self, key: str, file_id: str) -> None:
        """Remember where a picture is; only the newest few are ever asked for again."""
        with self._lock:
            while len(self._plots) >= MOST_PLOTS:
                self._plots.pop(next(iter(self._plots)))
            self._plots[key] = file_id


@dataclass(frozen=True)
class AppHome:
    """Publishes Home tabs and answers their buttons."""

    company: str
    database: Database
    calls: SlackCalls
    guard: Guard
    people: People
    permissions: Permissions
    corrections: Corrections
    retrainings: Retrainings
    schedule: RetrainSchedule
    plan: Callable[[], Plan]
    #: What the documents did not answer in the workspaces with these ids.
    gaps: Callable[[tuple[str, ...]], list[dict[str, Any]]]
    wake_workers: Callable[[], None]
    #: What takes longer to make than opening the tab may: gaps, and the picture by what it shows.
    slow: SlowFacts = field(default_factory=SlowFacts)

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        lets = self.guard.lets
        for name, listener in (
            (APPROVE, self.approve),
            (REJECT, self.reject),
            (CONFIRM, self.confirm),
            (REVOKE, self.revoke),
            (OLDER_RIGHT, self.decide_older),
            (NEWER_RIGHT, self.decide_newer),
            (BOTH_RIGHT, self.decide_both),
        ):
            app.action(name)(lets("approve a correction", listener))
        app.action(RETRAIN)(lets("retrain", self.retrain))
        app.action(ROLL_BACK)(lets("roll back", self.roll_back))
        app.action(CHANNEL_SETTINGS)(lets("change a channel's settings", self.open_channels))
        app.view(channel_form.CHANNELS_FORM)(
            lets("change a channel's settings", self.save_channels)
        )
        app.action(EXPORT)(lets("export pairs", self.export))

    def publish(self, job: Job) -> None:
        """Do a `publish_home` job."""
        user_id, team_id = str(job.payload["user_id"]), str(job.payload.get("team_id") or "")
        say = self.people.words(user_id)
        try:
            facts = self._facts(user_id, team_id, say)
            self.calls.call("views_publish", user_id=user_id, view=home_view(facts, say))
            if facts.admins is not None and self._deepen(facts.admins.days, team_id, say):
                facts = self._facts(user_id, team_id, say)
                self.calls.call("views_publish", user_id=user_id, view=home_view(facts, say))
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy

    def _facts(self, user_id: str, team_id: str, say: Words) -> home_facts.Facts:
        teams = self.guard.teams
        person = teams.name(team_id, user_id)
        is_admin = self.permissions.is_admin(person)
        with self.database.read() as session:
            seen = by_workspace.counted(session, overview(session), teams.ids_of(team_id))
            taught = home_facts.taught(session, person)
            experts = (
                home_facts.for_experts(session, teams, team_id)
                if self.permissions.is_expert(person)
                else None
            )
        return home_facts.Facts(
            company=self.company,
            overview=seen,
            taught=taught,
            experts=experts,
            admins=self._for_admins(team_id, say) if is_admin else None,
        )

    def _for_admins(self, team_id: str, say: Words) -> home_facts.ForAdmins:
        with self.database.read() as session:
            teams = self.guard.teams
            days = by_workspace.per_day(session, DAYS, teams.ids_of(team_id))
            versions = home_facts.versions_with_numbers(session)
            strict = home_facts.strict_channels(session, team_id)
            audit = home_facts.newest_audit(session, teams.far(team_id))
        following = self.schedule.following()
        status = self.retrainings.status()
        return home_facts.ForAdmins(
            status=status,
            plan=self.plan(),
            last_run=self.retrainings.last_run(),
            schedule=(
                say("Nothing is trained by itself.")
                if following is None
                else say("Next look whether to train: {moment}", moment=say.moment(following))
            ),
            days=days,
            plot_file=self.slow.plot(self._plot_key(days, say)),
            gaps=self.slow.gaps.get(teams.far(team_id), ()),
            versions=versions,
            strict=strict,
            audit=audit,
            can_start=status.can_start,
        )

    def _plot_key(self, days: tuple[Day, ...], say: Words) -> str:
        shown = f"{self.calls.team_id}{say.language}{days}"
        return hashlib.sha256(shown.encode()).hexdigest()

    def _deepen(self, days: tuple[Day, ...], team_id: str, say: Words) -> bool:
        """Make what takes longer, if it is not as it was. Returns whether it changed."""
        teams = self.guard.teams
        found = tuple(
            home_facts.Gap(str(gap["topic"]), int(gap["times"]))
            for gap in self.gaps(teams.ids_of(team_id))
        )
        is_new = found != self.slow.gaps.get(teams.far(team_id), ())
        self.slow.gaps[teams.far(team_id)] = found
        key = self._plot_key(days, say)
        if self.slow.plot(key):
            return is_new
        title = say("Answers of the last four weeks")
        try:
            told = self.calls.call(
                "files_upload_v2",
                file=io.BytesIO(draw_days(days, say)),
                filename="answers.png",
                title=title,
                alt_txt=title,
            )
        except _SLACK_TROUBLE as error:
            log.info("plot not uploaded: %s", error)
            return is_new
        self.slow.keep_plot(key, str(((told.get("files") or [{}])[0]).get("id") or ""))
        return True

    def approve(self, ack: Ack, body: Body, payload: Body) -> None:
        """Approve a waiting pair."""
        self._act_on(ack, body, payload, self.corrections.approve)

    def reject(self, ack: Ack, body: Body, payload: Body) -> None:
        """Turn a waiting pair down."""
        self._act_on(ack, body, payload, self.corrections.reject)

    def confirm(self, ack: Ack, body: Body, payload: Body) -> None:
        """Say that an answer is still right although its page changed."""
        self._act_on(ack, body, payload, self.corrections.confirm)

    def revoke(self, ack: Ack, body: Body, payload: Body) -> None:
        """Take back an answer that is not right any more."""
        self._act_on(ack, body, payload, self.corrections.revoke)

    def decide_older(self, ack: Ack, body: Body, payload: Body) -> None:
        """Say that of two answers the older is right."""
        self._decide(ack, body, payload, "older")

    def decide_newer(self, ack: Ack, body: Body, payload: Body) -> None:
        """Say that of two answers the newer is right."""
        self._decide(ack, body, payload, "newer")

    def decide_both(self, ack: Ack, body: Body, payload: Body) -> None:
        """Say that two answers do not contradict each other."""
        self._decide(ack, body, payload, "both")

    def _act_on(
        self, ack: Ack, body: Body, payload: Body, change: Callable[[int, str], object]
    ) -> None:
        """Change a pair, if it is of the workspace in which the button was pressed."""
        with self.database.read() as session:
            pair = pairs.get(session, int(payload["value"]))
        if not self.guard.is_here(body, home_facts.team_of_pair(pair)):
            ack()
            return
        self._act(ack, body, lambda who: change(pair.id, who))

    def _decide(self, ack: Ack, body: Body, payload: Body, outcome: str) -> None:
        with self.database.read() as session:
            team = home_facts.team_of_conflict(session, int(payload["value"]))
        if not self.guard.is_here(body, team):
            ack()
            return
        self._act(
            ack,
            body,
            lambda who: self.corrections.decide(int(payload["value"]), outcome, who),
        )

    def retrain(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Start a run."""
        self._act(
            ack, body, lambda who: self.retrainings.request(who, f"home:{body['trigger_id']}")
        )

    def roll_back(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Let the version before answer again."""
        self._act(
            ack,
            body,
            lambda who: self.retrainings.roll_back(who, "with the button in App Home"),
        )

    def open_channels(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Open the form for channels."""
        ack()
        user_id = user_of(body)
        say = self.people.words_at_hand(user_id)
        with self.database.read() as session:
            strict = home_facts.strict_channels(session, team_of(body))
        try:
            self.calls.call(
                "views_open",
                trigger_id=body["trigger_id"],
                view=channel_form.channel_form(strict, say),
            )
        except _SLACK_TROUBLE as error:
            log.warning("form not opened: %s", error)
            self.guard.whisper(body, say("The form did not open. Press once more."))

    def save_channels(self, ack: Ack, body: Body, payload: Body) -> None:
        """Commit what was chosen for channels, and only then let the form close."""
        user_id, team_id = user_of(body), team_of(body)
        wanted = set(channel_form.strict_in(payload))
        with self.database.write() as session:
            before = set(home_facts.strict_channels(session, team_id))
            for channel in sorted(before ^ wanted):
                value = "on" if channel in wanted else "off"
                choices.choose(
                    session,
                    channel_scope(team_id, channel),
                    "strict",
                    value,
                    self.guard.person_of(body),
                )
            self._show_anew(session, user_id, team_id)
        ack()
        self.wake_workers()

    def export(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Have the approved pairs sent to the admin who asks."""
        job = {"user_id": user_of(body), "team_id": team_of(body)}
        with self.database.write() as session:
            jobs.enqueue(session, "export_pairs", job, key=f"export:{body['trigger_id']}")
        ack()
        self.wake_workers()

    def send_export(self, job: Job) -> None:
        """Do an `export_pairs` job: a JSONL file in the admin's direct messages."""
        from bot.pair_import import draft_of

        user_id = str(job.payload["user_id"])
        say = self.people.words(user_id)
        with self.database.read() as session:
            team = self.guard.teams.far(str(job.payload.get("team_id") or ""))
            approved = home_facts.pairs_of(session, "approved", team, 1_000_000)
        written = io.StringIO()
        count = write_pairs((draft_of(pair) for pair in reversed(approved)), written, "jsonl")
        told = say.plural("{count} approved pair.", "{count} approved pairs.", count)
        try:
            channel = self.calls.call("conversations_open", users=user_id)["channel"]["id"]
            if not count:
                self.calls.call("chat_postMessage", channel=channel, text=told)
                return
            self.calls.call(
                "files_upload_v2",
                channel=channel,
                file=io.BytesIO(written.getvalue().encode()),
                filename="pairs.jsonl",
                title=say("Approved pairs"),
                initial_comment=told,
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy

    def _act(self, ack: Ack, body: Body, change: Callable[[str], object]) -> None:
        """Do what a button asks for, committed before Slack is answered; then show the result."""
        user_id = user_of(body)
        told = ""
        try:
            change(self.guard.person_of(body))
        except (PairChangeRefused, RetrainRefused) as refused:
            told = self.people.words_at_hand(user_id).told(refused)
        with self.database.write() as session:
            self._show_anew(session, user_id, team_of(body))
        ack()
        self.wake_workers()
        if told:
            self.guard.whisper(body, told)

    def _show_anew(self, session: Any, user_id: str, team_id: str) -> None:
        jobs.enqueue(session, "publish_home", {"user_id": user_id, "team_id": team_id})
