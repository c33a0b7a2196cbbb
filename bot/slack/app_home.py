"""App Home: shown anew when it is opened, and its buttons."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App

from bot.corrections import Corrections
from bot.permissions import NotAllowed, Permissions
from bot.retraining import Retrainings, RetrainRefused
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.home_view import (
    APPROVE,
    CONFIRM,
    REJECT,
    RETRAIN,
    REVOKE,
    ROLL_BACK,
    TrainingFacts,
    home_view,
)
from bot.worker import TryLater
from storage import jobs
from storage.database import Database
from storage.jobs import Job
from storage.overview import overview
from storage.pairs import PairChangeRefused

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AppHome:
    """Publishes Home tabs and answers their buttons."""

    company: str
    database: Database
    calls: SlackCalls
    permissions: Permissions
    corrections: Corrections
    retrainings: Retrainings
    wake_workers: Callable[[], None]

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        app.action(APPROVE)(self.approve)
        app.action(REJECT)(self.reject)
        app.action(CONFIRM)(self.confirm)
        app.action(REVOKE)(self.revoke)
        app.action(RETRAIN)(self.retrain)
        app.action(ROLL_BACK)(self.roll_back)

    def publish(self, job: Job) -> None:
        """Do a `publish_home` job."""
        user_id = str(job.payload["user_id"])
        with self.database.read() as session:
            seen = overview(session)
        status = self.retrainings.status()
        view = home_view(
            self.company,
            seen,
            TrainingFacts(
                serving=status.serving,
                readiness=status.readiness,
                last_run=status.last_run,
                can_start=status.can_start,
                can_roll_back=status.can_roll_back,
            ),
            is_expert=self.permissions.is_expert(user_id),
            is_admin=self.permissions.is_admin(user_id),
        )
        try:
            self.calls.call("views_publish", user_id=user_id, view=view)
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy

    def approve(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Approve a waiting pair."""
        user_id = body["user"]["id"]
        self._decide(
            ack,
            user_id,
            lambda: self.corrections.approve(int(action["value"]), user_id),
        )

    def reject(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Turn a waiting pair down."""
        user_id = body["user"]["id"]
        self._decide(
            ack,
            user_id,
            lambda: self.corrections.reject(int(action["value"]), user_id),
        )

    def confirm(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Say that an answer is still right although its page changed."""
        user_id = body["user"]["id"]
        self._decide(ack, user_id, lambda: self.corrections.confirm(int(action["value"]), user_id))

    def revoke(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Take back an answer that is not right any more."""
        user_id = body["user"]["id"]
        self._decide(ack, user_id, lambda: self.corrections.revoke(int(action["value"]), user_id))

    def retrain(self, ack: Ack, body: dict[str, Any]) -> None:
        """Start a run."""
        user_id = body["user"]["id"]
        key = f"home:{body['trigger_id']}"
        self._act(ack, user_id, lambda: self.retrainings.request(user_id, key))

    def roll_back(self, ack: Ack, body: dict[str, Any]) -> None:
        """Let the version before answer again."""
        user_id = body["user"]["id"]
        self._act(
            ack, user_id, lambda: self.retrainings.roll_back(user_id, "with the button in App Home")
        )

    def _decide(self, ack: Ack, user_id: str, change: Callable[[], object]) -> None:
        def allowed() -> object:
            self.permissions.require(user_id, "approve a correction")
            return change()

        self._act(ack, user_id, allowed)

    def _act(self, ack: Ack, user_id: str, change: Callable[[], object]) -> None:
        """Do what a button asks for, committed before Slack is answered; then show the result."""
        told = ""
        try:
            change()
        except (NotAllowed, PairChangeRefused, RetrainRefused) as refused:
            told = str(refused)
        with self.database.write() as session:
            jobs.enqueue(session, "publish_home", {"user_id": user_id})
        ack()
        self.wake_workers()
        if told:
            self._tell(user_id, told)

    def _tell(self, user_id: str, text: str) -> None:
        try:
            self.calls.call("chat_postMessage", channel=user_id, text=text)
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.warning("nobody could be told user=%s: %s", user_id, error)
