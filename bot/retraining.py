"""Retraining as people see it: is it time, start it, follow it, let its version answer, go back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy.orm import Session

from bot.canary import CanaryTrial, TrialStanding
from bot.champion import Champion
from bot.lessons import owe_lessons
from bot.prequential import History, VersionScore, by_version, history, plain
from bot.run_plan import measured_speed
from bot.told import Told
from bot.worker import TryLater
from storage import pair_trials, pairs, runs, snapshots, versions
from storage.database import Database
from storage.failpoints import failpoint
from storage.jobs import Job
from storage.runs import CHALLENGE, Run, RunLost, RunRefused
from storage.versions import PromotionRefused
from training.evaluation.answers import EvaluationStopped
from training.evaluation.likelihood import LikelihoodFailed
from training.model_shape import ShapeUnknown
from training.pair_learning_curve import Curve, TooFewPairs
from training.planner import RunPlan, RunTooLarge
from training.process import TrainingCancelled, TrainingFailed
from training.readiness import Readiness, due
from training.retrain import Outcome, Retraining, RunInterrupted

log = logging.getLogger(__name__)

#: How long a run is ours before another process may take it, renewed as it goes on.
LEASE = timedelta(seconds=120)

#: Only the command line asks for a learning curve, and it speaks English.
_ONE_AT_A_TIME = "A run is under way; two trainings at once take too much memory."


class RetrainRefused(Told):
    """Nothing was started or changed; the message says why."""


class RunShown(Protocol):
    """Where a run is shown while it goes on: a Slack message, or a bar in a terminal."""

    def progress(self, text: str, /) -> None:
        """Show how far it is."""

    def finished(self, text: str, plot: Path | None, /) -> None:
        """Show how it ended."""


@dataclass(frozen=True)
class Status:
    """Where training stands: which version answers since when, and the rest in sentences."""

    version: str
    since: datetime
    readiness: str
    last_run: str
    can_start: bool
    can_roll_back: bool
    trial: TrialStanding | None = None


class Retrainings:
    """Starts runs when it is time, does them, and moves the champion."""

    def __init__(
        self,
        *,
        database: Database,
        training: Retraining,
        champion: Champion,
        enough_pairs: int,
        retrain_every: int,
        owner: str,
        trial: CanaryTrial | None = None,
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            training: Does a run, stage by stage.
            champion: The version that answers; follows SQL.
            enough_pairs: How many approved pairs the first training needs.
            retrain_every: How many new ones each later training needs.
            owner: Who claims runs: unique for each process.
            trial: Tries versions that have passed the gate on a share of the threads; without
                one they are promoted at once.
        """
        self._trial = trial
        self._database = database
        self._training = training
        self._champion = champion
        self._enough_pairs = enough_pairs
        self._retrain_every = retrain_every
        self._owner = owner
        self._is_stopping: Callable[[], bool] = lambda: False

    def stops_when(self, is_stopping: Callable[[], bool]) -> None:
        """Take what says that this process is about to end: a run then pauses, to be resumed."""
        self._is_stopping = is_stopping

    def is_stopping(self) -> bool:
        """Whether this process is about to end."""
        return self._is_stopping()

    def readiness(self) -> Readiness:
        """Say whether enough pairs have gathered."""
        with self._database.read() as session:
            approved = pairs.ids_for_snapshot(session)
            seen = snapshots.pairs_in_last(session)
        return due(
            len(approved),
            len(approved - seen),
            has_trained=bool(seen),
            enough_pairs=self._enough_pairs,
            retrain_every=self._retrain_every,
        )

    def request(self, actor: str, period: str) -> Run:
        """Queue a run, or the one that is paused again, to go on from its last checkpoint.

        Args:
            actor: A Slack user id, `command line` or `schedule`.
            period: What the run is for; a period has one run.

        Raises:
            RetrainRefused: too few pairs, a run is open, the period has had its run, or the
                training does not fit into the memory that is free.
        """
        if (resumed := self._resumed(actor)) is not None:
            return resumed
        ready = self.readiness()
        if not ready.is_due:
            raise RetrainRefused("It is too early to train: {why}", why=ready.message)
        try:
            self._training.plan().refuse_if_too_large()
        except RunTooLarge as large:
            raise RetrainRefused(str(large).partition("\n")[0]) from large
        except ShapeUnknown as unknown:
            log.warning("run not planned: %s", unknown)
        try:
            with self._database.write() as session:
                run = runs.propose(session, period, actor)
                runs.enqueue(session, run)
        except RunRefused as refused:
            raise RetrainRefused(str(refused)) from refused
        log.info("run queued run=%d by=%s", run.id, actor)
        return run

    def _resumed(self, actor: str) -> Run | None:
        """Let the paused run go on, if there is one."""
        with self._database.write() as session:
            run = runs.current(session)
            if run is None or not run.is_paused:
                return None
            _refuse_challenge(run)
            run = runs.resume(session, run.id, actor)
        log.info("run resumed run=%d by=%s", run.id, actor)
        return run

    def refuse_challenge(self) -> None:
        """Raise `RetrainRefused` if the open run trains another base model: not so, not here."""
        if (run := self.current_run()) is not None:
            _refuse_challenge(run)

    def plan(self, tokens: int, *, hour_price: float = 0.0, currency: str = "EUR") -> RunPlan:
        """Return what a run takes of memory, time and money, and whether it fits now.

        Args:
            tokens: Tokens of the training rows, each counted once.
            hour_price: What an hour of the machine costs.
            currency: In which currency.

        Raises:
            ShapeUnknown: the base model's files do not say how large it is.
        """
        with self._database.read() as session:
            newest = runs.listed(session, limit=20)
        return self._training.plan(
            tokens=tokens,
            tokens_a_second=measured_speed(newest),
            hour_price=hour_price,
            currency=currency,
        )

    def learning_curve(
        self,
        most: int,
        on_step: Callable[[int, int, str], None] = lambda _done, _total, _name: None,
    ) -> Curve:
        """Train with growing parts of the pairs, to see whether more of them still help.

        Args:
            most: How many pairs are learned from at most.
            on_step: Called with the steps that are done, their number and what is going on.

        Raises:
            RetrainRefused: a run is open, there are too few pairs, or a training came to nothing.
        """
        if self.current_run() is not None:
            raise RetrainRefused(_ONE_AT_A_TIME)
        try:
            return self._training.learning_curve(most, on_step, self._is_stopping)
        except (
            EvaluationStopped,
            LikelihoodFailed,
            RunTooLarge,
            ShapeUnknown,
            TooFewPairs,
            TrainingCancelled,
            TrainingFailed,
        ) as error:
            raise RetrainRefused(str(error).partition("\n")[0]) from error

    def look(self, period: str) -> bool:
        """Start a run if one is due; for the schedule. Returns whether one was started.

        One that is paused goes on: what stopped it may have passed.
        """
        run = self.current_run()
        if run is None and not self.readiness().is_due:
            return False
        if run is not None and not run.is_paused:
            return False
        try:
            self.request("schedule", period)
        except RetrainRefused as refused:
            log.info("no run started period=%s: %s", period, refused)
            return False
        return True

    def consider(self, job: Job) -> None:
        """Do a `consider_retraining` job: look whether the new pair was the one missing."""
        if self.current_run() is None:  # one that is paused is not gone on with at every pair
            self.look(f"pair:{job.payload['pair_id']}")

    def run(self, job: Job, shown: RunShown) -> None:
        """Do a `retrain` job, or go on with it where it was interrupted.

        Raises:
            TryLater: this process is about to end; the next one goes on.
        """
        run_id = int(job.payload["run_id"])
        with self._database.read() as session:
            found = runs.get(session, run_id)
        if found.is_open and (found.cancelled_by or not found.is_paused):
            shown.progress(_running(found))
            try:
                with self._database.write() as session:
                    found = runs.claim(session, run_id, self._owner, LEASE)
                found = self._training.run(
                    found,
                    on_progress=lambda now: shown.progress(_running(now)),
                    should_stop=self._is_stopping,
                )
            except RunLost as lost:
                log.warning("run lost run=%d: %s", run_id, lost)
                return
            except RunInterrupted as interrupted:
                raise TryLater(0.0, str(interrupted)) from interrupted
        if found.state == "passed" and not self._begins_trial(found):
            found = self._promote(found)
        shown.finished(self._ended(found), self._training.plot(found))

    def look_at_trial(self) -> Literal["promoted", "withdrawn"] | None:
        """End the trial of a version if people's votes have decided; for the schedule.

        Returns how it ended, if it did now.
        """
        if self._trial is None or (ended := self._trial.look()) is None:
            return None
        if ended == "promoted":
            self._champion.follow()
        self._champion.end_trial()
        return ended

    def trial(self) -> TrialStanding | None:
        """Return how the trial of a version stands; None without one."""
        return None if self._trial is None else self._trial.standing()

    def withdraw(self, actor: str, reason: str) -> str:
        """End the trial of a version at once, the champion answering all; returns its name.

        Raises:
            RetrainRefused: no version is on trial.
        """
        version = None if self._trial is None else self._trial.withdraw(actor, reason)
        if version is None:
            raise RetrainRefused("No version is on trial.")
        log.info("trial ended version=%s by=%s", version.name, actor)
        self._champion.end_trial_soon()
        return version.name

    def _begins_trial(self, run: Run) -> bool:
        """Whether a version is tried on some threads before it answers all.

        That is so too if its trial goes on already (the job is done again), and if another's
        does: then it waits, passed, for an admin.
        """
        if self._trial is None or not self._trial.is_on or run.version_id is None:
            return False
        self._trial.begin(run.version_id, run.requested_by)
        return True

    def give_up(self, job: Job, error_id: str) -> None:
        """Let a run wait whose job failed too often."""
        run_id = int(job.payload["run_id"])
        with self._database.write() as session:
            run = runs.claim(session, run_id, self._owner, LEASE)
            why = f"It was started too often without coming to an end ({error_id})."
            runs.pause(session, run_id, run.attempt, self._training.paused(run, why))

    def promote(self, actor: str, name: str, reason: str) -> str:
        """Let a version answer; one that the gate refused only with a written reason.

        Raises:
            RetrainRefused: there is no such version, it answers already, or the reason is missing.
        """
        try:
            with self._database.write() as session:
                now = versions.serving(session)
                version = versions.by_name(session, name)
                if version.id == now.version.id:
                    raise RetrainRefused("{name} answers already.", name=name)
                versions.promote(
                    session,
                    version.id,
                    expected_revision=now.revision,
                    actor=actor,
                    reason=reason,
                    kind="promote" if version.may_answer else "override",
                )
                owe_lessons(session, version.id)
                overtaken = self._end_overtaken_trial(session)
        except PromotionRefused as refused:
            raise RetrainRefused(str(refused)) from refused
        self._follow_soon(overtaken)
        return name

    def cancel(self, actor: str) -> dict[str, Any]:
        """Stop the open run. Raises `RetrainRefused` when there is none."""
        open_run = self.current_run()
        if open_run is None:
            raise RetrainRefused("There is no run to cancel.")
        with self._database.write() as session:
            runs.cancel(session, open_run.id, actor)
        return {"run": open_run.id, "message": f"Run {open_run.id} is being stopped."}

    def roll_back(self, actor: str, reason: str) -> str:
        """Let the version before answer again; returns its name.

        Raises:
            RetrainRefused: there is nothing to go back to.
        """
        try:
            with self._database.write() as session:
                now = versions.rollback(session, actor, reason)
                overtaken = self._end_overtaken_trial(session)
        except PromotionRefused as refused:
            raise RetrainRefused(str(refused)) from refused
        self._follow_soon(overtaken)
        return now.version.name

    def _end_overtaken_trial(self, session: Session) -> bool:
        """Let no version be tried any longer against a champion that answers no more."""
        return self._trial is not None and self._trial.end_overtaken(session)

    def _follow_soon(self, is_trial_over: bool) -> None:
        self._champion.follow_soon()
        if is_trial_over:
            self._champion.end_trial_soon()

    def status(self) -> Status:
        """Say where training stands."""
        with self._database.write() as session:
            serving = versions.ensure_base(session)
        ready, last = self.readiness(), self.last_run()
        return Status(
            version=serving.version.name,
            since=serving.changed_at,
            readiness=ready.message,
            last_run="No run yet." if last is None else _summary(last),
            can_start=self._can_start(ready),
            can_roll_back=serving.previous is not None,
            trial=self.trial(),
        )

    def _can_start(self, ready: Readiness) -> bool:
        run = self.current_run()
        return ready.is_due if run is None else run.is_paused

    def on_new_questions(self) -> tuple[VersionScore, ...]:
        """Return how each version did on what experts bettered before it could learn it."""
        with self._database.read() as session:
            return by_version(pair_trials.series(session))

    def scores_over_time(self) -> History:
        """Return how the score on new questions ran, and when another version began to answer."""
        with self._database.read() as session:
            return history(session)

    def status_json(self) -> dict[str, Any]:
        """Say where training stands, for a program."""
        status = self.status()
        open_run = self.current_run()
        return {
            "serving": f"{status.version}, since {status.since:%d %B %Y, %H:%M} UTC",
            "readiness": status.readiness,
            "last_run": status.last_run,
            "run": None if open_run is None else _run_json(open_run),
            "trial": None if status.trial is None else status.trial.to_json(),
            "on_new_questions": [plain(score) for score in self.on_new_questions()],
        }

    def versions_json(self) -> list[dict[str, Any]]:
        """List the versions, newest first."""
        with self._database.write() as session:
            serving = versions.ensure_base(session).version.id
            return [
                {
                    "name": version.name,
                    "gate": version.standing,
                    "run": version.run_id,
                    "base": version.base_name,
                    "serving": version.id == serving,
                    "created_at": version.created_at.isoformat(timespec="seconds"),
                }
                for version in versions.listed(session)
            ]

    def current_run(self) -> Run | None:
        """Return the open run, if there is one."""
        with self._database.read() as session:
            return runs.current(session)

    def last_run(self) -> Run | None:
        """Return the newest run."""
        with self._database.read() as session:
            newest = runs.listed(session, limit=1)
        return newest[0] if newest else None

    def outcome(self, run: Run) -> Outcome | None:
        """Return what a run measured and what the gate said; None if it was not measured."""
        return self._training.outcome(run)

    def report_text(self, run: Run) -> str:
        """Return the table of a run that has ended and what the gate said, as plain text."""
        return self._training.report_text(run)

    def serving_name(self) -> str:
        """Return the name of the version that answers, as SQL says."""
        with self._database.write() as session:
            return versions.ensure_base(session).version.name

    def is_in_voice(self, run: Run, text: str) -> bool:
        """Whether a text is in the voice by which a measured run was judged."""
        return self._training.in_voice(run, [text])[0]

    def _ended(self, run: Run) -> str:
        title = f"*Retraining, run {run.id}: {run.state}*"
        if run.state == "promoted":
            title += f". *v{run.id} answers from now on*; `/retrain rollback` takes it back."
        elif run.state == "passed" and self._trial is not None and self._trial.is_on:
            title += ". It is tried on some threads first, or waits while another version is."
        elif run.state == "passed":
            title += (
                f". v{run.id} does not answer: another version has begun to since it was measured. "
                f"Train anew, or let it answer with `/retrain promote v{run.id}`."
            )
        return (
            f"{title}\n```{self.report_text(run)}```" if run.report else f"{title}\n{run.message}"
        )

    def _promote(self, run: Run) -> Run:
        """Let a version answer that has passed the gate, unless the champion changed meanwhile.

        What it was measured against is what it may follow: nothing is known about it beside a
        version that was promoted since.
        """
        assert run.version_id is not None
        failpoint("promotion.before")
        overtaken = False
        try:
            with self._database.write() as session:
                now = versions.serving(session)
                measured_at = (run.report or {}).get("revision", now.revision)
                if now.version.id != run.version_id:
                    versions.promote(
                        session,
                        run.version_id,
                        expected_revision=measured_at,
                        actor="schedule" if run.requested_by == "schedule" else run.requested_by,
                        reason=f"Run {run.id} passed the gate.",
                    )
                    owe_lessons(session, run.version_id)
                    overtaken = self._end_overtaken_trial(session)
        except PromotionRefused as refused:
            log.warning("version not promoted run=%d: %s", run.id, refused)
        failpoint("promotion.after")
        self._champion.follow()
        if overtaken:
            self._champion.end_trial()
        with self._database.read() as session:
            return runs.get(session, run.id)


def _running(run: Run) -> str:
    title = f"*Retraining, run {run.id}* (asked for by {_actor(run.requested_by)})"
    if run.state != "training" or not run.steps:
        return f"{title}\n{run.state}… {run.message}"
    share = run.step / run.steps
    bar = "▓" * round(share * 20) + "░" * (20 - round(share * 20))
    left = "" if run.seconds_left is None else f", about {_duration(run.seconds_left)} left"
    loss = "" if run.loss is None else f", loss {run.loss:.2f}"
    return f"{title}\n`{bar}` step {run.step} of {run.steps}{loss}{left}"


def _summary(run: Run) -> str:
    return f"Run {run.id} ({run.created_at:%d %B %Y}): {run.state}. {run.message}".strip()


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "state": run.state,
        "step": run.step,
        "steps": run.steps,
        "loss": run.loss,
        "seconds_left": run.seconds_left,
        "message": run.message,
    }


def _actor(actor: str) -> str:
    return f"<@{actor}>" if actor.startswith(("U", "W")) and actor.isalnum() else f"the {actor}"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _refuse_challenge(run: Run) -> None:
    if run.is_challenge:
        base = run.period_key.removeprefix(CHALLENGE).rpartition(":")[0]
        raise RetrainRefused(
            "Run {run} trains another base model. `skredder train challenge --base {base} --tuned` "
            "goes on with it, `skredder train cancel` gives it up.",
            run=run.id,
            base=base,
        )
