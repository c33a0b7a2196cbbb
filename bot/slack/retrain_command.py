"""`/retrain status|plan|run|cancel|promote|rollback|withdraw|schedule`, for admins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App

from bot.permissions import Action, NotAllowed
from bot.retraining import Retrainings, RetrainRefused
from bot.run_plan import Plan
from bot.schedule import RetrainSchedule, ScheduleRefused
from bot.slack import retrain_view
from bot.slack.guard import Body, Guard, team_of, user_of
from bot.slack.people import People
from bot.slack.score_messages import ScoreMessages
from bot.slack.words import Words

#: What each word needs.
_NEEDS: dict[str, Action] = {
    "status": "see training",
    "plan": "see training",
    "run": "retrain",
    "cancel": "cancel a run",
    "promote": "promote a version",
    "rollback": "roll back",
    "withdraw": "roll back",
    "schedule": "change the schedule",
}


@dataclass(frozen=True)
class RetrainCommand:
    """Answers the slash command, and the buttons it leads to."""

    guard: Guard
    people: People
    retrainings: Retrainings
    schedule: RetrainSchedule
    plan: Callable[[], Plan]
    scores: ScoreMessages
    wake_workers: Callable[[], None]

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        app.command("/retrain")(self.guard.lets("see training", self.handle))
        app.action(retrain_view.START)(self.guard.lets("retrain", self.start))
        app.action(retrain_view.NOT_NOW)(self.guard.lets("see training", self.leave_it))
        app.action(retrain_view.STOP)(self.guard.lets("cancel a run", self.stop))

    def handle(self, ack: Ack, body: Body, payload: Body) -> None:
        """Answer with one clear text, seen only by the one who typed."""
        ack(**self.reply(body, str(payload.get("text") or "")))
        self.wake_workers()

    def reply(self, body: Body, text: str) -> dict[str, Any]:
        """Do what the command says and return what to answer.

        Args:
            body: The command as it came.
            text: What stands behind `/retrain`.
        """
        user_id = user_of(body)
        say = self.people.words(user_id)
        verb, _, rest = text.strip().partition(" ")
        verb, rest = verb.lower() or "status", rest.strip()
        if verb not in _NEEDS:
            return {"text": say("I don't know `{word}`.", word=verb[:40]) + " " + _usage(say)}
        try:
            self.guard.require(user_id, _NEEDS[verb], team_of(body))
            if verb == "status":
                return {"text": self._status(body, say)}
            return self._do(verb, rest, self.guard.person_of(body), say)
        except (NotAllowed, RetrainRefused, ScheduleRefused) as refused:
            return {"text": say.told(refused)}

    def _do(self, verb: str, rest: str, user_id: str, say: Words) -> dict[str, Any]:
        if verb == "run":
            return self._ask_whether_to_start(say)
        match verb:
            case "plan":
                told = retrain_view.plan_text(self.plan(), say)
            case "cancel":
                run = self.retrainings.cancel(user_id)
                told = say("Run {id} is being stopped.", id=run["run"])
            case "promote":
                told = self._promote(rest, user_id, say)
            case "rollback":
                version = self.retrainings.roll_back(user_id, rest or "by /retrain")
                told = say("Back to *{version}*: it answers within seconds.", version=version)
            case "withdraw":
                version = self.retrainings.withdraw(user_id, rest or "by /retrain")
                told = say("*{version}* is not on trial any more.", version=version)
            case _:
                told = self._schedule(rest, user_id, say)
        return {"text": told}

    def _status(self, body: Body, say: Words) -> str:
        """Say where training stands; the plot follows in direct messages."""
        status, last = self.retrainings.status(), self.retrainings.last_run()
        told = retrain_view.status_text(status, self.plan(), last, say)
        told += retrain_view.on_new_questions(self.retrainings.on_new_questions(), say)
        if self.scores.owe(user_of(body), team_of(body)):
            told += "\n" + say("How that went over time is drawn in your direct messages with me.")
        return told

    def _promote(self, rest: str, user_id: str, say: Words) -> str:
        name, _, why = rest.partition(" ")
        if not name:
            return _usage(say)
        self.retrainings.promote(user_id, name, why.strip())
        return say("*{version}* answers within seconds.", version=name)

    def _ask_whether_to_start(self, say: Words) -> dict[str, Any]:
        plan = self.plan()
        open_run = self.retrainings.current_run()
        if open_run is not None and not open_run.is_paused:
            raise RetrainRefused(
                "Run {id} goes on; there is never more than one at a time.", id=open_run.id
            )
        if open_run is None and not self.retrainings.readiness().is_due:
            return {
                "text": say("It is too early to train.") + "\n" + retrain_view.plan_text(plan, say)
            }
        blocks = retrain_view.confirm_blocks(plan, say)
        return {"text": say("Start a retraining?"), "blocks": blocks}

    def _schedule(self, rest: str, user_id: str, say: Words) -> str:
        if rest:
            self.schedule.change(rest, user_id)
        line, following = self.schedule.line(), self.schedule.following()
        if following is None:
            return say("Nothing is trained by itself. `/retrain schedule 0 2 * * *` turns it on.")
        return say(
            "Looks whether a training is due at `{line}` (UTC), next on {moment}. "
            "`/retrain schedule off` turns it off.",
            line=line,
            moment=say.moment(following),
        )

    def start(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Start the run that was confirmed."""
        user_id = user_of(body)
        say = self.people.words_at_hand(user_id)
        try:
            person = self.guard.person_of(body)
            run = self.retrainings.request(person, f"command:{body['trigger_id']}")
            told = say("Run {id} is on its way. I'll post its progress to the admins.", id=run.id)
        except RetrainRefused as refused:
            told = say.told(refused)
        ack()
        self.wake_workers()
        self.guard.whisper(body, told)

    def leave_it(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Start nothing."""
        ack()
        say = self.people.words(user_of(body))
        self.guard.whisper(body, say("Nothing was started."))

    def stop(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Stop the run whose message the button is in."""
        user_id = user_of(body)
        say = self.people.words_at_hand(user_id)
        try:
            run = self.retrainings.cancel(self.guard.person_of(body))
            told = say("Run {id} is being stopped.", id=run["run"])
        except RetrainRefused as refused:
            told = say.told(refused)
        ack()
        self.wake_workers()
        self.guard.whisper(body, told)


def _usage(say: Words) -> str:
    return say(
        "Use `/retrain status`, `plan` (what a run would take), `run`, `cancel`, "
        "`promote v3 [why]`, `rollback [why]`, `withdraw [why]` (ends a trial), or "
        "`schedule [off | 0 2 * * *]`."
    )
