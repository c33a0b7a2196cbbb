"""The buttons under an answer, and the correction form they lead to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot.corrections import CorrectionRefused, Corrections
from bot.slack import blocks, correction_form
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.guard import Body, Guard, team_of, user_of
from bot.slack.home_facts import team_of_pair
from bot.slack.people import People
from storage import answers, by_workspace, inbox, pairs, questions, votes
from storage.answers import Answer
from storage.database import Database
from storage.failpoints import failpoint
from storage.pairs import PairChangeRefused
from training.prompt import without_citations

log = logging.getLogger(__name__)

EDIT = "pair_edit"


@dataclass(frozen=True)
class Feedback:
    """Listeners for votes and corrections."""

    database: Database
    calls: SlackCalls
    guard: Guard
    people: People
    corrections: Corrections
    #: Who may see what is said in a channel of a workspace.
    audience_of: Callable[[str, str], str]
    wake_workers: Callable[[], None]

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        lets = self.guard.lets
        app.action(blocks.FEEDBACK)(lets("vote", self.vote))
        app.action(blocks.CORRECT)(lets("propose a correction", self.correct_from_button))
        app.action(EDIT)(lets("approve a correction", self.edit_pair))
        app.shortcut("correct_answer")(lets("propose a correction", self.correct_from_shortcut))
        app.view(correction_form.CORRECTION)(lets("propose a correction", self.save_correction))

    def vote(self, ack: Ack, body: Body, payload: Body) -> None:
        """Save a vote at once; a bad one opens the form, and closing that loses nothing."""
        value, _, answer_id = str(payload.get("value", "")).partition(":")
        with self.database.write() as session:
            answer = self._answer(session, body, answer_id)
            if answer is not None:
                key = f"action:{body.get('trigger_id') or payload.get('action_ts')}"
                if inbox.accept(session, key, "action", team_of(body), _essence(body)):
                    votes.cast(session, answer.id, user_of(body), 1 if value == "up" else -1)
        ack()
        if answer is not None and value == "down":
            self._open_for_answer(body, answer)

    def correct_from_button(self, ack: Ack, body: Body, payload: Body) -> None:
        """Open the form for the answer that experts were asked to better."""
        ack()
        with self.database.read() as session:
            answer = self._answer(session, body, str(payload["value"]))
        if answer is not None:
            self._open_for_answer(body, answer)

    def correct_from_shortcut(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Open the form for the message the shortcut was used on."""
        ack()
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        with self.database.read() as session:
            here = self.guard.teams.ids_of(team_of(body))
            answer = by_workspace.answer_in_message(session, here, channel, ts)
        if answer is None:
            say = self.people.words(user_of(body))
            self.guard.whisper(
                body, say("That message is not an answer of mine, so I cannot correct it.")
            )
            return
        self._open_for_answer(body, answer)

    def edit_pair(self, ack: Ack, body: Body, payload: Body) -> None:
        """Open the form for a pair that waits, so that an expert approves it in other words."""
        ack()
        with self.database.read() as session:
            pair = pairs.get(session, int(payload["value"]))
            answer = answers.get(session, pair.answer_id) if pair.answer_id else None
        if not self.guard.is_here(body, team_of_pair(pair)):
            return
        self._open(
            body,
            question=pair.input,
            sources=answer.sources if answer else (),
            subject=f"pair {pair.id}",
            prefilled=pair.output,
            reason=pair.reason if pair.reason in correction_form.REASONS else "wrong",
        )

    def save_correction(self, ack: Ack, body: Body, payload: Body) -> None:
        """Commit a correction, and only then let the form close."""
        text, reason = correction_form.text_in(payload), correction_form.reason_in(payload)
        subject, _, number = str(payload["private_metadata"]).partition(" ")
        user_id, key = user_of(body), f"view:{payload['id']}"
        person = self.guard.person_of(body)
        failpoint("correction.before")
        try:
            if subject == "pair":
                self.guard.require(user_id, "approve a correction", team_of(body))
                self.corrections.edit(
                    pair_id=int(number), text=text, reason=reason, user_id=person, key=key
                )
            else:
                with self.database.read() as session:
                    answer = answers.get(session, int(number))
                    asked = questions.get(session, answer.question_id) if answer else None
                self.corrections.correct(
                    answer_id=int(number),
                    text=text,
                    reason=reason,
                    user_id=person,
                    key=key,
                    asked_in=(
                        self.audience_of(asked.channel, asked.team_id)
                        if asked and asked.place != "dm"
                        else None
                    ),
                )
        except (CorrectionRefused, PairChangeRefused) as refused:
            say = self.people.words_at_hand(user_id)
            errors = {correction_form.ANSWER_BLOCK: say.told(refused)}
            ack(response_action="errors", errors=errors)
            return
        failpoint("correction.before_ack")
        ack()
        failpoint("correction.after_ack")
        self.wake_workers()

    def _answer(self, session: Session, body: Body, answer_id: str) -> Answer | None:
        """Return the answer that a button is about, if it was given in this workspace."""
        answer = answers.get(session, int(answer_id)) if answer_id.isdigit() else None
        if answer is None:
            return None
        team_id = by_workspace.team_of_answer(session, answer.id)
        return answer if self.guard.is_here(body, team_id) else None

    def _open_for_answer(self, body: Body, answer: Answer) -> None:
        with self.database.read() as session:
            question = questions.get(session, answer.question_id)
        self._open(
            body,
            question=question.text,
            sources=answer.sources,
            subject=f"answer {answer.id}",
            prefilled=without_citations(answer.text) if answer.status != "abstained" else "",
        )

    def _open(self, body: Body, **of_the_form: Any) -> None:
        """Open a small form while the trigger is fresh, then fill it."""
        user_id = user_of(body)
        hasty = self.people.words_at_hand(user_id)
        try:
            opened = self.calls.call(
                "views_open",
                trigger_id=body["trigger_id"],
                view=correction_form.opening_view(hasty),
            )
            say = self.people.words(user_id)
            view = correction_form.correction_view(
                say=say,
                counts_at_once=self.corrections.counts_at_once(self.guard.person_of(body)),
                **of_the_form,
            )
            self.calls.call("views_update", view_id=opened["view"]["id"], view=view)
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.warning("form not opened %s: %s", of_the_form["subject"], error)
            say = self.people.words(user_id)
            self.guard.whisper(
                body,
                say(
                    "The form did not open, but nothing is lost: a vote is saved when you press. "
                    "Press once more, or use “Correct this answer” in the message's menu."
                ),
            )


def _essence(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of an interaction is worth keeping: who did what to which message."""
    return {
        "user": body["user"]["id"],
        "actions": body.get("actions"),
        "container": body.get("container"),
    }
