"""Another base model as a challenger: measured beside the version that answers, by the same gate.

A version that was tuned long ago may be worse than a base model of today as it came. So another
base can be entered untuned, with the voice taught in its prompt as people would be answered by it,
or tuned with the pairs that there are. It becomes a version with the gate's verdict, which an
admin may let answer as any other; by itself nobody's champion is changed.
"""

from __future__ import annotations

import fcntl
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Literal

from bot.asking_in_ways import Progress, ProgressBar
from bot.base_choice import BaseChoice
from bot.challenge_checks import (
    ChallengeRefused,
    refuse_too_large,
    refuse_unknown,
    refuse_unreadable,
)
from bot.challenge_outcome import Challenge
from bot.engines import EngineOpener
from bot.inference.language_model import InferenceFailed
from bot.retraining import LEASE
from bot.run_in_terminal import show
from bot.training_parts import generators, token_counter
from storage import audit, challengers, runs, versions
from storage.database import Database
from storage.runs import CHALLENGE, Run, RunLost, RunRefused
from storage.versions import BASE, PromotionRefused, Serving, Version
from training.base_model import BaseModel, BaseModelCorrupt, BaseModelMissing
from training.challenge_questions import questions_for, usable_pairs
from training.evaluation.answers import EvaluationStopped
from training.evaluation.model_card import language_names
from training.evaluation.report import Report
from training.evaluation.voice import VoiceUnclear
from training.gate import GateDecision, decide
from training.manifest import ManifestBroken
from training.measuring import Measured, measured, pair_rows, taught
from training.model_shape import ShapeUnknown
from training.planner import RunTooLarge
from training.prompt import lesson
from training.retrain import OLD_BASE, OpenGenerator, Retraining, RunInterrupted
from training.run_failures import RunImpossible
from training.snapshot import Snapshot

log = logging.getLogger(__name__)

#: What the base in use is called as champion of an untuned challenger: it has the voice taught.
BASE_TAUGHT = "base taught"

#: Letters that a name of a version may have; others become hyphens.
_UNFIT = re.compile(r"[^a-z0-9.]+")


class Challenging:
    """Enters other base models as challengers."""

    def __init__(
        self,
        *,
        database: Database,
        training: Retraining,
        choice: BaseChoice,
        prepare: Callable[[str], BaseModel],
        opener_for: Callable[[BaseModel], EngineOpener],
        is_remote: bool,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            training: Does runs on the base model in use, and measures.
            choice: The base model in use.
            prepare: Prepares a base model, by what the settings would call it.
            opener_for: Opens engines on a base model.
            is_remote: Whether a server answers, which has one base model.
            is_stopping: Whether this process is about to end.
        """
        self._database = database
        self._training = training
        self._choice = choice
        self._prepare = prepare
        self._opener_for = opener_for
        self._is_remote = is_remote
        self._is_stopping = is_stopping

    def untuned(self, ref: str, actor: str, on_progress: Progress) -> Challenge:
        """Measure another base model as it came, and keep it as a version.

        It is asked as people would be answered by it, with the voice taught in its prompt; so is
        the base in use if that answers now, while a tuned champion is asked without, as it is
        served. Questions and passages are the same for all.

        Nothing can be forgotten where nothing was learned, so the guards against forgetting and
        leaking compare with the base in use: general questions must be answered as well as by the
        base that colleagues have now, and no more in the company's voice.

        Answers are kept, so a challenge that was stopped goes on.

        Args:
            ref: What the settings would call the base: `bundled`, a folder, or the id of a hub
                model, which is fetched.
            actor: Who asks.
            on_progress: Called with `name`, `done` and `total`.

        Raises:
            ChallengeRefused: the base is not there, is the one in use, or cannot be measured; a
                run or another challenge is under way; or it was stopped.
        """
        serving = self._serving()
        with self._alone():
            self._refuse_beside_a_run()
            other = self._usable(ref)
            name = self._name_of(other)
            voice = lesson(self._training.make.persona)
            champion = measured(serving.version)
            if serving.version.is_base:
                champion = Measured(BASE_TAUGHT, None, None, voice, BASE)
            challenger = Measured(name, None, other.sha256, voice)
            on_progress({"name": "Finding the passages of each pair", "done": 0, "total": None})
            asked = self._questions(serving.version)
            chats = taught(asked.held_out, voice)
            refuse_unreadable(other, chats, self._training.measuring.answer_tokens)
            report = self._compared(other, asked, champion, challenger, on_progress)
            decision = decide(report, self._training.rules)
            found = self._challenge(name, other, report, decision)
            self._entered(found, actor, serving, asked)
            languages = language_names({row.language for row in asked.held_out})
            found.write(self._training.make.persona, languages)
            return found

    def tuned(self, ref: str, actor: str, on_progress: Progress) -> Challenge:
        """Train another base model with the approved pairs, and measure it.

        It is a run as any other, but for its base. What it forgot is measured against that base.
        One that was stopped is gone on with.

        Args:
            ref: What the settings would call the base.
            actor: Who asks.
            on_progress: Called with `name`, `done` and `total`.

        Raises:
            ChallengeRefused: as for `untuned`; or the run came to nothing, and why.
        """
        serving = self._serving()
        with self._alone():
            self._refuse_beside_a_run(but=_period(ref))
            other = self._usable(ref)
            self._refuse_too_few()
            used = self._choice.used
            opened = self._opening(other, {serving.version.name, OLD_BASE} - {BASE})
            training = self._training.on(other, opened, token_counter(other), used)
            try:
                training.plan().refuse_if_too_large()
            except (RunTooLarge, ShapeUnknown) as error:
                raise ChallengeRefused(str(error)) from error
            shown = _Shown(on_progress)
            try:
                run = training.run(
                    self._claimed(ref, actor),
                    on_progress=shown,
                    should_stop=lambda: shown.is_gone or self._is_stopping(),
                )
            except (RunInterrupted, RunLost) as stopped:
                raise ChallengeRefused(f"{stopped} The same command goes on with it.") from stopped
            outcome = training.outcome(run)
            if outcome is None:
                raise ChallengeRefused(run.message or f"Run {run.id} is {run.state}.")
            found = self._challenge(f"v{run.id}", other, outcome.report, outcome.decision)
            found.write(training.make.persona, ())
            return found

    def _claimed(self, ref: str, actor: str) -> Run:
        """Return the run of this challenge, the one that was stopped or a new one."""
        self._refuse_beside_a_run(but=_period(ref))
        try:
            with self._database.write() as session:
                run = runs.current(session)
                if run is None:
                    run = runs.propose(session, _period(ref) + secrets.token_hex(4), actor)
            with self._database.write() as session:
                return runs.claim(session, run.id, f"challenge-{secrets.token_hex(6)}", LEASE)
        except (RunRefused, RunLost) as refused:
            raise ChallengeRefused(str(refused)) from refused

    def _refuse_beside_a_run(self, but: str | None = None) -> None:
        """Raise `ChallengeRefused` if a run is open, but one whose period begins with `but`."""
        with self._database.read() as session:
            run = runs.current(session)
        if run is not None and (but is None or not run.period_key.startswith(but)):
            raise ChallengeRefused(
                f"Run {run.id} is {run.state}; two models at once take too much memory. Wait for "
                "its end, or cancel it with `skredder train cancel`."
            )

    def _name_of(self, other: BaseModel) -> str:
        """Return what a base model is called as a version."""
        name = challengers.name_of(_UNFIT.sub("-", other.name.lower()).strip("-"))
        try:
            with self._database.read() as session:
                challengers.refuse_other_weights(session, name, other.sha256)
        except PromotionRefused as refused:
            raise ChallengeRefused(str(refused)) from refused
        return name

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one challenge go on at a time; the operating system ends it with its process."""
        folder = self._training.folder / "challenges"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ChallengeRefused("A challenge is under way; wait for its end.") from None
            yield

    def _serving(self) -> Serving:
        if self._is_remote:
            raise ChallengeRefused(
                "A server answers here, and it has one base model. Measure the other one with "
                '`engine = "auto"` under [model], or on a machine of its own.'
            )
        with self._database.write() as session:
            serving = versions.ensure_base(session)
        if serving.version.base_sha256 not in (None, self._choice.used.sha256):
            raise ChallengeRefused(
                f"{serving.version.name} answers, on another base model than this process began "
                "with. Start the bot anew first."
            )
        return serving

    def _usable(self, ref: str) -> BaseModel:
        """Return a base model that can be read and is not the one in use."""
        try:
            other = self._prepare(ref)
        except (BaseModelMissing, BaseModelCorrupt) as error:
            raise ChallengeRefused(str(error)) from error
        except OSError as error:
            raise ChallengeRefused(f"{ref} cannot be read: {error.strerror or error}.") from error
        used = self._choice.used
        if other.sha256 == used.sha256:
            raise ChallengeRefused(
                f"{ref} is the base model in use ({used.name}, {used.sha256[:12]}). Name another."
            )
        refuse_unknown(other)
        refuse_too_large(other, self._training.device())
        return other

    def _refuse_too_few(self) -> None:
        try:
            usable_pairs(self._database, self._training.rules.held_out_pairs)
        except RunImpossible as impossible:
            raise ChallengeRefused(str(impossible)) from impossible

    def _questions(self, champion: Version) -> Snapshot:
        training = self._training
        try:
            return questions_for(
                champion,
                self._database,
                training.folder / "snapshots",
                make=training.make,
                fewest=training.rules.held_out_pairs,
                base=self._choice.used.name,
            )
        except RunImpossible as impossible:
            raise ChallengeRefused(str(impossible)) from impossible

    def _opening(self, other: BaseModel, ours: Collection[str]) -> OpenGenerator:
        """Return what opens versions of these names on the base in use, others on the other."""
        here = generators(self._opener_for(self._choice.used))
        there = generators(self._opener_for(other))
        return lambda name, folder: (here if name in ours else there)(name, folder)

    def _compared(
        self,
        other: BaseModel,
        asked: Snapshot,
        champion: Measured,
        challenger: Measured,
        on_progress: Progress,
    ) -> Report:
        """Measure an untuned base beside the champion and the base in use."""
        opened = self._opening(other, {BASE, champion.name})
        try:
            return self._training.measuring.with_models(opened).compare(
                asked.held_out,
                pair_rows(asked.rows),
                unanswerable=asked.unanswerable,
                seed=asked.seed,
                champion=champion,
                challenger=challenger,
                writers=(challenger,),
                on_step=ProgressBar(on_progress).step,
                should_stop=self._is_stopping,
            )
        except EvaluationStopped as stopped:
            raise ChallengeRefused(
                "The challenge was stopped. What was answered is kept; the same command goes on."
            ) from stopped
        except (VoiceUnclear, ManifestBroken, InferenceFailed) as error:
            raise ChallengeRefused(str(error)) from error

    def _challenge(
        self, name: str, other: BaseModel, report: Report, decision: GateDecision
    ) -> Challenge:
        identity, used = other.identity, self._choice.used.identity
        assert identity is not None
        assert used is not None, "a base that was prepared has an identity"
        folder = self._training.folder / "challenges" / name
        return Challenge(name, identity, used, report, decision, folder)

    def _entered(
        self, challenge: Challenge, actor: str, beside: Serving, asked: Snapshot
    ) -> Version:
        """Keep it as a version with the verdict, if the champion is still the one it met."""
        name, decision = challenge.version, challenge.decision
        verdict: Literal["passed", "refused"] = "passed" if decision.passed else "refused"
        try:
            with self._database.write() as session:
                now = versions.hold_serving(session)
                if now.revision != beside.revision:
                    raise ChallengeRefused(
                        f"{now.version.name} answers by now, beside which {name} was not "
                        "measured. The same command does so; what was answered is kept."
                    )
                version = challengers.enter(session, name, challenge.base, verdict)
                details = {
                    "base": challenge.base.sha256,
                    "beside": beside.version.name,
                    "snapshot": asked.digest,
                    "gate": verdict,
                    "reasons": list(decision.reasons),
                }
                audit.record(session, actor, "version.challenge", f"version {name}", details)
        except PromotionRefused as refused:
            raise ChallengeRefused(str(refused)) from refused
        log.info("challenger measured version=%s gate=%s", name, version.gate)
        return version


def _period(ref: str) -> str:
    """Return what the periods of runs begin with that train this base model."""
    return f"{CHALLENGE}{ref}:"


class _Shown:
    """Shows a run to whoever gave the command, as long as they are there."""

    def __init__(self, on_progress: Progress) -> None:
        self._on_progress = on_progress
        self.is_gone = False

    def __call__(self, run: Run) -> None:
        """Show how far it is; a command that went away stops the run, which goes on later."""
        try:
            show(run, self._on_progress)
        except OSError:
            self.is_gone = True
