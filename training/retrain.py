"""One run from approved pairs to a measured version: each stage remembers what it finished.

A process that is killed anywhere leaves files under temporary names or finished ones, and a run
in SQL that says how far it came. Running the same run again goes on from there.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from storage import pairs, runs, snapshots, versions
from storage.database import Database
from storage.failpoints import failpoint
from storage.pairs import Pair
from storage.runs import Run
from storage.versions import Serving, Version
from training.base_model import BaseModel
from training.evaluation.answers import AnswerBook, EvaluationStopped, Generate
from training.evaluation.changes import Change
from training.evaluation.changes import to_json as changes_to_json
from training.evaluation.compare import CountUnsupported, Likeness
from training.evaluation.likelihood import Likelihoods
from training.evaluation.report import Report
from training.evaluation.voice import VoiceUnclear
from training.gate import GateDecision, decide
from training.job import TrainingJob
from training.manifest import read_manifest, verify_manifest
from training.measuring import Measured, Measuring, measured
from training.model_shape import ShapeUnknown
from training.pair_learning_curve import Curve, Making, draw_curve
from training.planner import Device, RunPlan, find_device, machine_memory, plan_training
from training.process import TrainingCancelled, TrainingFailed, read_progress, run_training
from training.prompt import Persona, lesson
from training.recipe import GateRules, Recipe
from training.replay import make_replay, read_prompts, rows_wanted, told_repeats
from training.rows import CountTokens, FindSection, Retrieve, Row, RowMaker, row_tokens
from training.run_failures import RunImpossible, can_go_on, explain, paused
from training.run_watch import RunWatch
from training.snapshot import Snapshot, build_snapshot, read_snapshot
from training.version_files import version_folder, write_version

log = logging.getLogger(__name__)

#: How many corrections both versions are asked anew, to show the experts what has changed.
MOST_ASKED = 200

#: How often a training process that was killed is started again before the run is paused: what
#: kills it, most often a lack of memory, may do so for ever.
KILLS_BORNE = 2

#: What the base model in use is called where another one is trained to challenge it.
OLD_BASE = "old base"

#: Opens a version for measuring: its name, and its folder (None for the base).
OpenGenerator = Callable[[str, Path | None], AbstractContextManager[Generate]]


class RunInterrupted(Exception):
    """The process is shutting down; the run stays open and goes on after the next start."""


@dataclass(frozen=True)
class Outcome:
    """What a measured run found."""

    report: Report
    decision: GateDecision
    #: The serving revision that the challenger was measured against.
    revision: int


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
        free_memory: Callable[[], float] = machine_memory,
        count_unsupported: CountUnsupported | None = None,
        likeness: Likeness | None = None,
        likelihoods: Likelihoods | None = None,
        unknowing_answers: Mapping[str, str] | None = None,
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
            free_memory: How many bytes a training process may take where there is no card.
            count_unsupported: Checks the sentences of answers; without it that is not measured.
            likeness: Compares the meaning of answers; without it that is not measured.
            likelihoods: Says how likely versions find the references; without it likewise.
            unknowing_answers: "I don't know" by language, to be learned where the passages do not
                answer; without it that is neither learned nor measured.
        """
        self._database = database
        self.folder = folder
        self._base = base
        self.make = RowMaker(
            persona, recipe, retrieve, find_section, count_tokens, unknowing_answers or {}
        )
        self.rules = rules
        self._open_generator = open_generator
        self._audience = audience
        self._replay_prompts = replay_prompts
        self._free_memory = free_memory
        #: The base that the champion belongs to, where that is another than the one to train.
        self._used: BaseModel | None = None
        self.measuring = Measuring(
            folder=folder,
            # The folder's name changes with the weights and with how they were converted.
            base_name=base.folder.name,
            voice=persona.voice,
            open_generator=open_generator,
            answer_tokens=answer_tokens,
            count_unsupported=count_unsupported,
            likeness=likeness,
            likelihoods=likelihoods,
        )

    def on(
        self,
        base: BaseModel,
        open_generator: OpenGenerator,
        count_tokens: CountTokens,
        used: BaseModel,
    ) -> Retraining:
        """Return what does the same runs on another base model, which challenges the one in use.

        Args:
            base: The other base model; what is forgotten is measured against it.
            open_generator: Opens it by the name `base`, its versions, and the champion.
            count_tokens: Counts tokens as it does.
            used: The base model in use. As champion it is called `OLD_BASE`, and is asked as it
                answers people, with the voice taught.
        """
        other = copy(self)
        other._base, other._used = base, used
        other._open_generator = open_generator
        other.make = replace(self.make, count_tokens=count_tokens)
        other.measuring = self.measuring.with_models(open_generator, base.sha256[:16])
        return other

    def run(
        self,
        run: Run,
        on_progress: Callable[[Run], None] = lambda _run: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Run:
        """Take a claimed run to its end.

        Args:
            run: The run as `storage.runs.claim` returned it; every write is refused when it has
                been claimed anew since.
            on_progress: Called with the run as it stands, at each step of each stage.
            should_stop: Whether this process is shutting down.

        Returns:
            The run as it ended: passed, refused, failed or cancelled. A failure is written down
            with its reason; no version is left behind by it. `outcome` has the report. Or the
            run is paused, still open: the disk or the memory did not suffice, or the training
            process was killed again and again. It goes on from its last checkpoint.

        Raises:
            RunInterrupted: `should_stop` said so. The run stays open, to go on later.
            RunLost: another process has taken the run over.
        """
        watch = RunWatch(self._database, run, on_progress, should_stop)
        try:
            return self._stages(run.id, watch)
        except (TrainingCancelled, EvaluationStopped) as stopped:
            if watch.cancelled_by is None:
                watch.let_go()
                raise RunInterrupted(f"Run {run.id} goes on after the next start.") from stopped
            ended = watch.finish("cancelled", f"Cancelled by {watch.cancelled_by}.")
        except runs.RunLost:
            raise
        except Exception as error:
            log.exception("run_failed run=%d", run.id)
            reason = explain(error)
            if can_go_on(error, self._work(run.id)):
                return watch.pause(paused(reason, self.report_folder(run.id)))
            ended = watch.finish("failed", f"The run failed: {reason}", error=reason)
        self._tidy(run.id, keep_version=False)
        return ended

    def plan(
        self,
        *,
        tokens: int = 0,
        longest_row: int | None = None,
        tokens_a_second: float | None = None,
        hour_price: float = 0.0,
        currency: str = "EUR",
    ) -> RunPlan:
        """Return what a run with the settings of today takes, and whether it fits now.

        Args:
            tokens: Tokens of the training rows, each counted once.
            longest_row: Tokens of the longest row; the recipe's `max_tokens` if not known yet.
            tokens_a_second: The speed of an earlier run here; estimated without one.
            hour_price: What an hour of the machine costs.
            currency: In which currency.

        Raises:
            ShapeUnknown: the base model's files do not say how large it is.
        """
        return plan_training(
            self._base.folder,
            self.make.recipe,
            self.device(),
            name=self._base.name,
            tokens=tokens,
            longest_row=longest_row,
            tokens_a_second=tokens_a_second,
            hour_price=hour_price,
            currency=currency,
        )

    def device(self) -> Device:
        """Return where a training would run, and what memory is free there."""
        return find_device(self._free_memory, self.make.recipe)

    def learning_curve(
        self,
        most: int,
        on_step: Callable[[int, int, str], None] = lambda _done, _total, _name: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Curve:
        """Train with growing parts of the pairs; see `training.pair_learning_curve.draw_curve`.

        Raises:
            RunTooLarge: a training does not fit into the memory that is free.
        """
        self.plan().refuse_if_too_large()
        with self._database.read() as session:
            usable = pairs.for_snapshot(session, self._audience)
        return draw_curve(
            usable,
            Making(self._base, self.make),
            self.folder / "learning-curve",
            most=most,
            on_step=on_step,
            should_stop=should_stop,
        )

    def outcome(self, run: Run) -> Outcome | None:
        """Return what a run found; None if it was not measured."""
        if run.report is None:
            return None
        gate = run.report["gate"]
        return Outcome(
            Report.from_json(run.report["report"]),
            GateDecision(gate["passed"], tuple(gate["reasons"])),
            run.report["revision"],
        )

    def report_text(self, run: Run) -> str:
        """Return how a run ended, with its table if it was measured, as plain text."""
        found = self.outcome(run)
        if found is None:
            return run.message
        verdict = "The gate let it through" if found.decision.passed else "The gate refused it"
        reasons = "\n".join(f"- {reason}" for reason in found.decision.reasons)
        return f"{found.report.table()}\n\n{verdict}:\n{reasons}"

    def paused(self, run: Run, why: str) -> str:
        """Return what is said of a run that waits: why, what of it is kept, how it goes on."""
        return paused(why, self.report_folder(run.id))

    def plot(self, run: Run) -> Path | None:
        """Return the plot of a measured run, if it is still there."""
        path = self.report_folder(run.id) / "report.png"
        return path if path.exists() else None

    def in_voice(self, run: Run, texts: Sequence[str]) -> list[bool]:
        """Return for each text whether it is in the voice that a measured run was judged by.

        Raises:
            VoiceUnclear: the run was not measured here.
        """
        if run.snapshot_id is None:
            raise VoiceUnclear(f"Run {run.id} never had a snapshot.")
        with self._database.read() as session:
            digest = snapshots.get(session, run.snapshot_id).digest
        return self.measuring.voice_of(self._read_snapshot(digest)).speaks(texts)

    def report_folder(self, run_id: int) -> Path:
        """Return where a run's log, progress, report and plot are."""
        return self.folder / "runs" / str(run_id)

    def _work(self, run_id: int) -> Path:
        return self.report_folder(run_id) / "checkpoints"

    def _stages(self, run_id: int, watch: RunWatch) -> Run:
        if watch.should_stop():
            raise TrainingCancelled(f"Run {run_id} was stopped before it went on.")
        work = self.report_folder(run_id)
        recipe = _fixed_recipe(work, self.make.recipe)
        self._champion()
        watch.enter("preparing", "Freezing the pairs")
        snapshot = self._snapshot(run_id, recipe, watch)
        failpoint("run.prepared")
        folder = version_folder(self.folder, run_id)
        if not folder.exists():
            self._refuse_what_cannot_fit(run_id, snapshot)
            watch.enter("training", "Loading the model")
            adapter = self._train(run_id, recipe, snapshot, watch)
            failpoint("run.trained")
            watch.enter("merging", "Merging the adapter into the model")
            scale = read_manifest(adapter).lineage.get("chosen_scale", recipe.adapter_scale)
            write_version(self._base, adapter, folder, scale, watch.share)
            failpoint("run.merged")
        manifest = verify_manifest(folder)
        watch.enter("evaluating", "Measuring on questions it has never seen")
        champion = self._champion()
        name = f"v{run_id}"
        report = self.measuring.measure(
            snapshot,
            champion=self._as_measured(champion.version),
            challenger=(name, folder, manifest.sha256),
            loss=[step.loss for step in read_progress(work)],
            writers=() if self._used is None else (_in_use(self._used),),
            on_step=watch.step,
            should_stop=watch.should_stop,
        )
        failpoint("run.evaluated")
        changes = self.measuring.changes(
            snapshot,
            self._corrections(snapshot, recipe),
            champion=self._as_measured(champion.version),
            challenger=(name, folder, manifest.sha256),
            on_step=watch.step,
            should_stop=watch.should_stop,
        )
        ended = self._conclude(
            watch,
            folder=folder,
            manifest=manifest.sha256,
            report=report,
            champion=champion,
            changes=changes,
        )
        self._tidy(run_id, keep_version=True)
        return ended

    def _champion(self) -> Serving:
        """Return who answers. Raises `RunImpossible` if that is on another base model."""
        with self._database.read() as session:
            champion = versions.serving(session)
        used = self._base if self._used is None else self._used
        if used.sha256 and champion.version.base_sha256 not in (None, used.sha256):
            raise RunImpossible(
                f"{champion.version.name} answers, on another base model than this process began "
                "with. Start the bot anew, then train."
            )
        return champion

    def _as_measured(self, champion: Version) -> Measured:
        if self._used is None or not champion.is_base:
            return measured(champion)
        return _in_use(self._used, lesson(self.make.persona))

    def _snapshot(self, run_id: int, recipe: Recipe, watch: RunWatch) -> Snapshot:
        """Freeze the pairs; anew if one of them was taken out while that was done.

        The base model answers what is rehearsed meanwhile, which takes minutes the first time.
        """
        with self._database.read() as session:
            run = runs.get(session, run_id)
        if run.snapshot_id is not None:
            with self._database.read() as session:
                frozen = self._read_snapshot(snapshots.get(session, run.snapshot_id).digest)
            if frozen.base != self._base.name:
                raise RunImpossible(
                    f"It was begun on the base model {frozen.base}, and here is {self._base.name}."
                )
            return frozen
        while True:
            with self._database.read() as session:
                approved = pairs.for_snapshot(session, self._audience)
            snapshot = self._frozen(approved, recipe, watch)
            failpoint("run.snapshot_written")
            with self._database.write() as session:
                now = pairs.for_snapshot(session, self._audience)
                if _sides(approved) <= _sides(now):
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
            log.info("pairs changed while they were frozen, frozen anew run=%d", run_id)

    def _frozen(self, approved: Sequence[Pair], recipe: Recipe, watch: RunWatch) -> Snapshot:
        learned = sum(1 for pair in approved if not pair.is_held_out)
        if not learned or learned == len(approved):
            raise RunImpossible(
                f"{len(approved)} pairs are approved and not held, {learned} of them to learn from "
                f"and {len(approved) - learned} kept for measuring; some of each are needed."
            )
        return build_snapshot(
            approved,
            self._replay(rows_wanted(recipe.rows_of(learned), recipe.replay_share), recipe, watch),
            folder=self.folder / "snapshots",
            base=self._base.name,
            make=replace(self.make, recipe=recipe),
        )

    def _read_snapshot(self, digest: str) -> Snapshot:
        return read_snapshot(self.folder / "snapshots" / f"{digest}.jsonl", digest)

    def _replay(self, wanted: int, recipe: Recipe, watch: RunWatch) -> tuple[tuple[str, str], ...]:
        if not wanted:
            return ()
        prompts = self._replay_prompts
        watch.begin(wanted, "The base model answers general questions, to be rehearsed")
        with self._open_generator(versions.BASE, None) as generate:
            return make_replay(
                read_prompts() if prompts is None else prompts,
                wanted,
                book=AnswerBook(self.measuring.book(versions.BASE, None)),
                generate=generate,
                max_tokens=recipe.replay_tokens,
                seed=recipe.seed,
                on_answered=watch.step,
                should_stop=watch.should_stop,
            )

    def _refuse_what_cannot_fit(self, run_id: int, snapshot: Snapshot) -> None:
        """Write down what the training will take; raise `RunTooLarge` if that is not there."""
        if (self.folder / "adapters" / f"run-{run_id}").exists():
            return
        lengths = [row_tokens(row, self.make.count_tokens) for row in snapshot.train]
        try:
            plan = self.plan(tokens=sum(lengths), longest_row=max(lengths))
        except ShapeUnknown as unknown:
            log.warning("run_not_planned run=%d: %s", run_id, unknown)
            return
        rehearsed = told_repeats(snapshot.replay_rows, snapshot.replay_prompts)
        log.info("run_rehearses run=%d: %s", run_id, rehearsed)
        folder = self.report_folder(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        lines = [*plan.lines(), rehearsed]
        (folder / "plan.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        plan.refuse_if_too_large()

    def _train(self, run_id: int, recipe: Recipe, snapshot: Snapshot, watch: RunWatch) -> Path:
        work = self.report_folder(run_id)
        adapters = self.folder / "adapters"
        adapters.mkdir(parents=True, exist_ok=True)
        job = TrainingJob(
            run=run_id,
            base=str(self._base.folder),
            base_name=self._base.name,
            snapshot=str(snapshot.path),
            digest=snapshot.digest,
            work=str(self._work(run_id)),
            adapters=str(adapters),
            name=f"run-{run_id}",
            recipe=recipe,
        )
        for kills in range(1, KILLS_BORNE + 2):
            try:
                adapter = run_training(job, work, watch.trained, watch.should_stop)
                break
            except TrainingFailed as failed:
                if failed.cause != "killed" or kills > KILLS_BORNE:
                    raise
                log.warning("training_killed run=%d kills=%d: %s", run_id, kills, failed)
                watch.enter("training", "The training process was killed and goes on")
        verify_manifest(adapter)
        return adapter

    def _corrections(self, snapshot: Snapshot, recipe: Recipe) -> list[Row]:
        """Return the pairs that people corrected answers with, the newest `MOST_ASKED`.

        They are rendered as they would be asked: what was learned from had the right passage put
        in where retrieval misses it.
        """
        with self._database.read() as session:
            found = pairs.by_ids(session, snapshot.pair_ids("train"))
        corrections = sorted(
            (pair for pair in found if pair.origin == "slack" and pair.is_usable),
            key=lambda pair: pair.id,
        )
        make = replace(self.make, recipe=recipe)
        return [make.pair(pair, "held_out") for pair in corrections[-MOST_ASKED:]]

    def _conclude(
        self,
        watch: RunWatch,
        *,
        folder: Path,
        manifest: str,
        report: Report,
        champion: Serving,
        changes: Sequence[Change],
    ) -> Run:
        """Write version, gate and end of the run in one transaction: all of it or nothing."""
        decision = decide(report, self.rules)
        report.plot(self.report_folder(watch.run_id) / "report.png")
        state: Literal["passed", "refused"] = "passed" if decision.passed else "refused"
        with self._database.write() as session:
            version = versions.register(
                session,
                f"v{watch.run_id}",
                run_id=watch.run_id,
                folder=str(folder),
                manifest_sha256=manifest,
                base=self._base.identity,
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
                    "revision": champion.revision,
                    "changes": changes_to_json(changes),
                },
            )
            failpoint("run.before_conclusion")
        failpoint("run.after_conclusion")
        log.info("run_%s run=%d version=%s", state, run.id, version.name)
        return run

    def _tidy(self, run_id: int, *, keep_version: bool) -> None:
        """Delete what the end of a run makes superfluous."""
        folders = [
            self._work(run_id),
            self.folder / "adapters" / f"run-{run_id}",
            self.folder / "adapters" / f".tmp-{run_id}",
        ]
        if not keep_version:
            folders.append(version_folder(self.folder, run_id))
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(base: BaseModel, taught: str = "") -> Measured:
    return Measured(OLD_BASE, None, base.sha256, taught)


def _fixed_recipe(work: Path, recipe: Recipe) -> Recipe:
    """Return the recipe that a run began with; the first call fixes it."""
    order = work / "job.json"
    return TrainingJob.load(order).recipe if order.exists() else recipe


def _sides(approved: Sequence[Pair]) -> set[tuple[int, str, str, str]]:
    """What must still be so of pairs when a snapshot of them is registered."""
    return {(pair.id, pair.split, pair.group_key, pair.output) for pair in approved}
