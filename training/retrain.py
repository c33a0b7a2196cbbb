"""One run from approved pairs to a measured version: each stage remembers what it finished.

A process that is killed anywhere leaves files under temporary names or finished ones, and a run
in SQL that says how far it came. Running the same run again goes on from there.
"""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from storage import pairs, runs, snapshots, versions
from storage.database import Database
from storage.failpoints import failpoint
from storage.runs import Run
from storage.versions import Serving, Version
from training.base_model import BaseModel
from training.evaluation.answers import AnswerBook, EvaluationStopped, Generate
from training.evaluation.report import Report
from training.evaluation.voice import VoiceUnclear
from training.gate import GateDecision, decide
from training.job import TrainingJob, TrainingProgress
from training.manifest import ManifestBroken, verify_manifest
from training.measuring import Measuring
from training.merge import MergeFailed
from training.process import TrainingCancelled, TrainingFailed, read_progress, run_training
from training.prompt import Persona
from training.recipe import GateRules, Recipe
from training.replay import make_replay, read_prompts, rows_wanted
from training.rows import CountTokens, FindSection, Retrieve
from training.snapshot import (
    HeldOutLeaked,
    Snapshot,
    SnapshotBroken,
    build_snapshot,
    read_snapshot,
)
from training.version_files import version_folder, write_version

#: How long a run belongs to its process without a sign of life.
LEASE = timedelta(minutes=3)
#: How often the lease is renewed and a cancellation looked for, in seconds.
_RENEW_SECONDS = 10.0

log = logging.getLogger(__name__)

#: Opens a version for measuring: its name, and its folder (None for the base).
OpenGenerator = Callable[[str, Path | None], AbstractContextManager[Generate]]


class RunInterrupted(Exception):
    """The process is shutting down; the run stays open and goes on after the next start."""


class RunImpossible(Exception):
    """There is nothing to train on or to measure with; the message says what is missing."""


@dataclass(frozen=True)
class StageProgress:
    """How far a run is, for whoever looks on."""

    state: str
    step: int
    steps: int
    message: str


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `version`, `report` and `decision` are there if it was measured."""

    run: Run
    version: Version | None = None
    report: Report | None = None
    decision: GateDecision | None = None
    plot: Path | None = None
    #: The serving revision that the challenger was measured against.
    revision: int | None = None

    @property
    def state(self) -> str:
        """How it ended, in a word: passed, refused, failed, cancelled; or promoted since."""
        return self.run.state


class Retraining:
    """Takes runs from the proposal to the gate's decision. It never changes who answers."""

    def __init__(
        self,
        *,
        database: Database,
        folder: Path,
        base: BaseModel,
        recipe: Recipe,
        rules: GateRules,
        persona: Persona,
        retrieve: Retrieve,
        find_section: FindSection,
        count_tokens: CountTokens,
        open_generator: OpenGenerator,
        answer_tokens: int = 128,
        audience: str = "everyone",
        replay_prompts: Sequence[str] | None = None,
    ) -> None:
        """Collect what a run needs.

        Args:
            database: Where runs, pairs and versions are.
            folder: Where snapshots, runs, adapters, versions and answers are kept.
            base: The base model.
            recipe: How to train; a run that was begun keeps the recipe it began with.
            rules: What the gate asks for.
            persona: Who speaks.
            retrieve: Finds the passages that `audience` may see, as answering does.
            find_section: Returns a section by its address, if `audience` may see it.
            count_tokens: Counts the tokens of a text, as the base model does.
            open_generator: Opens a version for measuring.
            answer_tokens: How long an answer may be, in tokens.
            audience: Only pairs of this audience are trained on.
            replay_prompts: General prompts; those that come with the program by default.
        """
        self._database = database
        self._folder = folder
        self._base = base
        self._recipe = recipe
        self._rules = rules
        self._persona = persona
        self._retrieve = retrieve
        self._find_section = find_section
        self._count_tokens = count_tokens
        self._open_generator = open_generator
        self._audience = audience
        self._replay_prompts = replay_prompts
        self._measuring = Measuring(
            folder=folder,
            base_name=base.name,
            voice=persona.voice,
            open_generator=open_generator,
            answer_tokens=answer_tokens,
        )

    def run(
        self,
        run_id: int,
        attempt: int,
        on_progress: Callable[[StageProgress], None] = lambda _progress: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Take a claimed run to its end.

        Args:
            run_id: The run, claimed with `storage.runs.claim`.
            attempt: The attempt it was claimed under; every write is refused under another.
            on_progress: Called with each step of each stage.
            should_stop: Whether this process is shutting down.

        Returns:
            The outcome: passed, refused, failed or cancelled. A failure is written down with its
            reason; no version is left behind by it.

        Raises:
            RunInterrupted: `should_stop` said so. The run stays open, to go on later.
            RunLost: another process has taken the run over.
        """
        watch = _Watch(self._database, run_id, attempt, on_progress, should_stop)
        try:
            return self._stages(run_id, watch)
        except (TrainingCancelled, EvaluationStopped) as stopped:
            if watch.cancelled_by is None:
                raise RunInterrupted(f"Run {run_id} goes on after the next start.") from stopped
            ended = watch.finish("cancelled", f"Cancelled by {watch.cancelled_by}.")
        except runs.RunLost:
            raise
        except Exception as error:
            log.exception("run_failed run=%d", run_id)
            reason = _explain(error)
            ended = watch.finish("failed", f"The run failed: {reason}", error=reason)
        self._tidy(run_id, keep_version=False)
        return Outcome(ended)

    def outcome(self, run_id: int) -> Outcome:
        """Return how a run ended, read back from SQL. Raises `RunRefused` if there is none."""
        with self._database.read() as session:
            run = runs.get(session, run_id)
            version = None if run.version_id is None else versions.by_id(session, run.version_id)
        if run.report is None:
            return Outcome(run, version)
        gate = run.report["gate"]
        return Outcome(
            run,
            version,
            Report.from_json(run.report["report"]),
            GateDecision(gate["passed"], tuple(gate["reasons"])),
            Path(run.report["plot"]),
            run.report["revision"],
        )

    def in_voice(self, run_id: int, texts: Sequence[str]) -> list[bool]:
        """Return for each text whether it is in the voice that a measured run was judged by.

        Raises:
            RunRefused: there is no such run.
            VoiceUnclear: the run was not measured here.
        """
        with self._database.read() as session:
            run = runs.get(session, run_id)
            if run.snapshot_id is None:
                raise VoiceUnclear(f"Run {run_id} never had a snapshot.")
            digest = snapshots.get(session, run.snapshot_id).digest
        return self._measuring.voice_of(self._read_snapshot(digest)).speaks(texts)

    def report_folder(self, run_id: int) -> Path:
        """Return where a run's log, progress, report and plot are."""
        return self._folder / "runs" / str(run_id)

    def _stages(self, run_id: int, watch: _Watch) -> Outcome:
        work = self.report_folder(run_id)
        recipe = _fixed_recipe(work, self._recipe)
        watch.enter("preparing", "Freezing the pairs")
        snapshot = self._snapshot(run_id, recipe, watch)
        failpoint("run.prepared")
        folder = version_folder(self._folder, run_id)
        if not folder.exists():
            watch.enter("training", "Loading the model")
            adapter = self._train(run_id, recipe, snapshot, watch)
            failpoint("run.trained")
            watch.enter("merging", "Merging the adapter into the model")
            write_version(self._base, adapter, folder, recipe.adapter_scale, watch.share)
            failpoint("run.merged")
        manifest = verify_manifest(folder)
        watch.enter("evaluating", "Measuring on questions it has never seen")
        with self._database.read() as session:
            champion = versions.serving(session)
        name = f"v{run_id}"
        report = self._measuring.measure(
            snapshot,
            champion=champion.version,
            challenger=(name, folder, manifest.sha256),
            loss=[step.loss for step in read_progress(work)],
            on_step=watch.step,
            should_stop=watch.should_stop,
        )
        failpoint("run.evaluated")
        outcome = self._conclude(
            watch, folder=folder, manifest=manifest.sha256, report=report, champion=champion
        )
        self._tidy(run_id, keep_version=True)
        return outcome

    def _snapshot(self, run_id: int, recipe: Recipe, watch: _Watch) -> Snapshot:
        with self._database.read() as session:
            run = runs.get(session, run_id)
            if run.snapshot_id is not None:
                return self._read_snapshot(snapshots.get(session, run.snapshot_id).digest)
            approved = pairs.approved(session, self._audience)
        learned = sum(1 for pair in approved if not pair.is_held_out)
        if not learned or learned == len(approved):
            raise RunImpossible(
                f"{len(approved)} pairs are approved, {learned} of them to learn from and "
                f"{len(approved) - learned} kept for measuring; some of each are needed."
            )
        snapshot = build_snapshot(
            approved,
            self._replay(rows_wanted(learned, recipe.replay_share), recipe, watch),
            folder=self._folder / "snapshots",
            base=self._base.name,
            persona=self._persona,
            recipe=recipe,
            retrieve=self._retrieve,
            find_section=self._find_section,
            count_tokens=self._count_tokens,
        )
        failpoint("run.snapshot_written")
        with self._database.write() as session:
            record = snapshots.register(
                session,
                snapshot.digest,
                prompt_version=snapshot.prompt_version,
                seed=snapshot.seed,
                train=snapshot.pair_ids("train"),
                held_out=snapshot.pair_ids("held_out"),
                replay_rows=snapshot.replay_rows,
            )
            runs.set_snapshot(session, run_id, watch.attempt, record.id)
        return snapshot

    def _read_snapshot(self, digest: str) -> Snapshot:
        return read_snapshot(self._folder / "snapshots" / f"{digest}.jsonl", digest)

    def _replay(self, wanted: int, recipe: Recipe, watch: _Watch) -> tuple[tuple[str, str], ...]:
        if not wanted:
            return ()
        prompts = self._replay_prompts
        watch.begin(wanted, "The base model answers general questions, to be rehearsed")
        with self._open_generator(versions.BASE, None) as generate:
            return make_replay(
                read_prompts() if prompts is None else prompts,
                wanted,
                book=AnswerBook(self._measuring.book(versions.BASE, None)),
                generate=generate,
                max_tokens=recipe.replay_tokens,
                seed=recipe.seed,
                on_answered=watch.step,
                should_stop=watch.should_stop,
            )

    def _train(self, run_id: int, recipe: Recipe, snapshot: Snapshot, watch: _Watch) -> Path:
        work = self.report_folder(run_id)
        adapters = self._folder / "adapters"
        adapters.mkdir(parents=True, exist_ok=True)
        job = TrainingJob(
            run=run_id,
            base=str(self._base.folder),
            base_name=self._base.name,
            snapshot=str(snapshot.path),
            digest=snapshot.digest,
            work=str(work / "checkpoints"),
            adapters=str(adapters),
            name=f"run-{run_id}",
            recipe=recipe,
        )
        adapter = run_training(job, work, watch.trained, watch.should_stop)
        verify_manifest(adapter)
        return adapter

    def _conclude(
        self, watch: _Watch, *, folder: Path, manifest: str, report: Report, champion: Serving
    ) -> Outcome:
        """Write version, gate and end of the run in one transaction: all of it or nothing."""
        decision = decide(report, self._rules)
        plot = report.plot(self.report_folder(watch.run_id) / "report.png")
        state: Literal["passed", "refused"] = "passed" if decision.passed else "refused"
        with self._database.write() as session:
            version = versions.register(
                session,
                f"v{watch.run_id}",
                run_id=watch.run_id,
                folder=str(folder),
                manifest_sha256=manifest,
            )
            version = versions.judge(session, version.id, state)
            run = runs.finish(
                session,
                watch.run_id,
                watch.attempt,
                state,
                message="; ".join(decision.reasons),
                version_id=version.id,
                report={
                    "report": report.to_json(),
                    "gate": {"passed": decision.passed, "reasons": list(decision.reasons)},
                    "plot": str(plot),
                    "revision": champion.revision,
                },
            )
            failpoint("run.before_conclusion")
        failpoint("run.after_conclusion")
        log.info("run_%s run=%d version=%s", state, run.id, version.name)
        return Outcome(run, version, report, decision, plot, champion.revision)

    def _tidy(self, run_id: int, *, keep_version: bool) -> None:
        """Delete what the end of a run makes superfluous."""
        folders = [
            self.report_folder(run_id) / "checkpoints",
            self._folder / "adapters" / f"run-{run_id}",
            self._folder / "adapters" / f".tmp-{run_id}",
        ]
        if not keep_version:
            folders.append(version_folder(self._folder, run_id))
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


class _Watch:
    """The run's line to SQL: its progress, its lease, and whether it is to end."""

    def __init__(
        self,
        database: Database,
        run_id: int,
        attempt: int,
        on_progress: Callable[[StageProgress], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.cancelled_by: str | None = None
        self._database = database
        self._on_progress = on_progress
        self._stopping = stopping
        self._renewed = 0.0
        self._now = StageProgress("queued", 0, 0, "")
        self._began = time.monotonic()

    def enter(self, state: str, message: str) -> None:
        """Begin a stage."""
        with self._database.write() as session:
            runs.enter(session, self.run_id, self.attempt, state, message)
            runs.progress(session, self.run_id, self.attempt, step=0, steps=0)
        log.info("run_stage run=%d state=%s", self.run_id, state)
        self._show(StageProgress(state, 0, 0, message))

    def begin(self, steps: int, message: str) -> None:
        """Begin a part of a stage that has `steps` steps."""
        self._began = time.monotonic()
        self._write(StageProgress(self._now.state, 0, steps, message))

    def step(self, count: int, total: int | None = None, message: str | None = None) -> None:
        """Note that `count` further steps are done, of `total` if that is known now."""
        now = self._now
        steps = now.steps if total is None else total
        step = min(now.step + count, steps)
        self._write(StageProgress(now.state, step, steps, message or now.message))

    def share(self, share: float) -> None:
        """Note which share of the stage is done, 0 to 1; written down in whole tenths."""
        if int(share * 10) != self._now.step:
            self._write(StageProgress(self._now.state, int(share * 10), 10, self._now.message))

    def trained(self, progress: TrainingProgress) -> None:
        """Note a step of the training process."""
        message = (
            f"Step {progress.step} of {progress.steps}, loss {progress.loss:.2f}, "
            f"{progress.tokens_per_second:.0f} tokens a second"
        )
        with self._database.write() as session:
            runs.progress(
                session,
                self.run_id,
                self.attempt,
                step=progress.step,
                steps=progress.steps,
                loss=progress.loss,
                tokens_per_second=progress.tokens_per_second,
                seconds_left=progress.seconds_left,
                message=message,
            )
        self._show(StageProgress("training", progress.step, progress.steps, message))

    def should_stop(self) -> bool:
        """Whether to stop: the process shuts down, or somebody cancelled. Renews the lease."""
        if time.monotonic() > self._renewed + _RENEW_SECONDS:
            with self._database.write() as session:
                run = runs.renew(session, self.run_id, self.attempt, LEASE)
            self._renewed = time.monotonic()
            self.cancelled_by = run.cancelled_by
        return self.cancelled_by is not None or self._stopping()

    def finish(
        self, state: Literal["failed", "cancelled"], message: str, error: str | None = None
    ) -> Run:
        """End the run without a version."""
        with self._database.write() as session:
            return runs.finish(
                session, self.run_id, self.attempt, state, message=message, error=error
            )

    def _write(self, progress: StageProgress) -> None:
        done, steps = progress.step, progress.steps
        seconds = (time.monotonic() - self._began) / done * (steps - done) if done else None
        with self._database.write() as session:
            runs.progress(
                session,
                self.run_id,
                self.attempt,
                step=done,
                steps=steps,
                seconds_left=seconds,
                message=progress.message,
            )
        self._show(progress)

    def _show(self, progress: StageProgress) -> None:
        self._now = progress
        self._on_progress(progress)


def promote(database: Database, outcome: Outcome, actor: str, reason: str) -> Serving:
    """Let a passed version answer, if the champion is still the one it was measured against.

    Raises:
        PromotionRefused: it was not passed, or the champion has changed since.
    """
    if outcome.version is None or outcome.revision is None:
        raise versions.PromotionRefused("The run made no version that could answer.")
    with database.write() as session:
        serving = versions.promote(
            session,
            outcome.version.id,
            expected_revision=outcome.revision,
            actor=actor,
            reason=reason,
        )
        failpoint("promotion.before_commit")
    failpoint("promotion.after_commit")
    return serving


def _fixed_recipe(work: Path, recipe: Recipe) -> Recipe:
    """Return the recipe that a run began with; the first call fixes it."""
    order = work / "job.json"
    return TrainingJob.load(order).recipe if order.exists() else recipe


def _explain(error: Exception) -> str:
    """Return a sentence for people; what nobody expected is named by its kind only."""
    if isinstance(
        error,
        TrainingFailed
        | SnapshotBroken
        | HeldOutLeaked
        | ManifestBroken
        | MergeFailed
        | VoiceUnclear
        | RunImpossible,
    ):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk is full. Free some space, then run the training again."
    return f"something unexpected happened ({type(error).__name__}); the log has the details."
