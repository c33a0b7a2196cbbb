"""The buttons under an answer, and the correction form they lead to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App

from bot.corrections import CorrectionRefused, Corrections
from bot.slack import blocks
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from storage import answers, inbox, questions, votes
from storage.answers import Answer
from storage.database import Database
from storage.failpoints import failpoint
from training.prompt import without_citations

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Feedback:
    """Listeners for votes and corrections."""

    database: Database
    calls: SlackCalls
    corrections: Corrections
    wake_workers: Callable[[], None]

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        app.action(blocks.FEEDBACK)(self.vote)
        app.shortcut("correct_answer")(self.correct_from_shortcut)
        app.view(blocks.CORRECTION)(self.save_correction)

    def vote(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Save a vote at once; a bad one opens the form, and closing that loses nothing."""
        value, _, answer_id = str(action.get("value", "")).partition(":")
        user_id = body["user"]["id"]
        with self.database.write() as session:
            answer = answers.get(session, int(answer_id)) if answer_id.isdigit() else None
            if answer is not None:
                key = f"action:{body.get('trigger_id') or action.get('action_ts')}"
                if inbox.accept(session, key, "action", _team(body), _essence(body)):
                    votes.cast(session, answer.id, user_id, 1 if value == "up" else -1)
        ack()
        if answer is not None and value == "down":
            self._open_form(body, answer)

    def correct_from_shortcut(self, ack: Ack, body: dict[str, Any]) -> None:
        """Open the form for the message the shortcut was used on."""
        ack()
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        with self.database.read() as session:
            answer = answers.by_message(session, channel, ts)
        if answer is None:
            self._whisper(body, "That message is not an answer of mine, so I cannot correct it.")
            return
        self._open_form(body, answer)

    def save_correction(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Commit a correction, and only then let the form close."""
        values = view["state"]["values"]
        text = values[blocks.ANSWER_BLOCK][blocks.ANSWER_INPUT].get("value") or ""
        choice = values[blocks.REASON_BLOCK][blocks.REASON_INPUT].get("selected_option") or {}
        failpoint("correction.before")
        try:
            self.corrections.correct(
                answer_id=int(view["private_metadata"]),
                text=text,
                reason=str(choice.get("value", "wrong")),
                user_id=body["user"]["id"],
                key=f"view:{view['id']}",
            )
        except CorrectionRefused as refused:
            ack(response_action="errors", errors={blocks.ANSWER_BLOCK: str(refused)})
            return
        failpoint("correction.before_ack")
        ack()
        failpoint("correction.after_ack")
        self.wake_workers()

    def _open_form(self, body: Mapping[str, Any], answer: Answer) -> None:
        with self.database.read() as session:
            question = questions.get(session, answer.question_id)
        view = blocks.correction_view(
            answer,
            question,
            is_expert=self.corrections.counts_at_once(body["user"]["id"]),
            prefilled=without_citations(answer.text) if answer.status != "abstained" else "",
        )
        try:
            self.calls.call("views_open", trigger_id=body["trigger_id"], view=view)
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.warning("form not opened answer=%d: %s", answer.id, error)
            self._whisper(
                body,
                "Your vote is saved, but the form did not open. Press the button once more, "
                "or use “Correct this answer” in the message's menu.",
            )

    def _whisper(self, body: Mapping[str, Any], text: str) -> None:
        channel = (body.get("channel") or {}).get("id")
        if not channel:
            return
        try:
            self.calls.call(
                "chat_postEphemeral", channel=channel, user=body["user"]["id"], text=text
            )
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.warning("nobody could be told: %s", error)


def _team(body: Mapping[str, Any]) -> str | None:
    team = body.get("team") or {}
    return team.get("id")


def _essence(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of an interaction is worth keeping: who did what to which message."""
    return {
        "user": body["user"]["id"],
        "actions": body.get("actions"),
        "container": body.get("container"),
    }
