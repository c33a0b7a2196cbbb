from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from storage import audit, pairs, runs, snapshots, versions
from storage.failpoints import KILLED
from storage.runs import Run, RunLost
from storage.tables import PairRow
from tests.training.retraining_stage import Stage
from training.base_model import BaseModel
from training.evaluation.changes import from_json
from training.evaluation.voice import VoiceUnclear
from training.manifest import verify_manifest
from training.process import read_progress
from training.retrain import RunInterrupted
from training.snapshot import Snapshot, build_snapshot, read_snapshot
from training.version_files import sweep

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tiny_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed before, while and after it was trained."""
    made = Stage(tmp_path_factory.mktemp("trained"), tiny_model.folder)
    made.fill()
    run = made.propose()
    for point in ("run.snapshot_written", "run.prepared", "run.trained"):
        assert run_elsewhere(made, point) == KILLED
        assert_nothing_half_done(made, run.id)
    made.database.close()
    return made.folder


@pytest.fixture
def stage(tiny_model: BaseModel, tmp_path: Path) -> Stage:
    """A folder with forty approved pairs."""
    made = Stage(tmp_path, tiny_model.folder)
    made.fill()
    return made


@pytest.fixture
def quick_stage(stage: Stage, trained: Path) -> Stage:
    """The same, where the adapters of the first two runs are found trained already."""
    for number in (1, 2):
        shutil.copytree(trained / "adapters" / "run-1", stage.folder / f"adapters/run-{number}")
        shutil.copytree(trained / "runs" / "1", stage.folder / f"runs/{number}")
    return stage


def run_elsewhere(stage: Stage, fail_at: str) -> int:
    """Take the open run on in a process of its own; return how that ended."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SKREDDER_FAIL_AT": fail_at}
    program = str(ROOT / "tests" / "training" / "retraining_stage.py")
    done = subprocess.run(
        [sys.executable, program, str(stage.folder), str(stage.model), fail_at],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, KILLED), done.stderr
    return done.returncode


def run_of(stage: Stage, run_id: int) -> Run:
    with stage.database.read() as session:
        return runs.get(session, run_id)


def assert_nothing_half_done(stage: Stage, run_id: int) -> None:
    """Check what must hold after every kill: the run is open, and no version is to be seen."""
    sweep(stage.folder)
    assert run_of(stage, run_id).is_open
    with stage.database.read() as session:
        assert [version.name for version in versions.listed(session)] == ["base"]
    for folder in (stage.folder / "versions").glob("*"):
        verify_manifest(folder)


def test_a_run_killed_at_every_stage_goes_on_and_leaves_one_whole_version(
    tiny_model: BaseModel, trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "home")
    stage = Stage(tmp_path / "home", tiny_model.folder)
    with stage.database.read() as session:
        run = runs.current(session)
    assert run is not None
    for point in (
        "version.before_manifest",
        "version.after_manifest",
        "run.merged",
        "run.evaluated",
        "run.before_conclusion",
    ):
        assert run_elsewhere(stage, point) == KILLED
        assert_nothing_half_done(stage, run.id)
    assert run_elsewhere(stage, "run.after_conclusion") == KILLED
    ended = run_of(stage, run.id)
    assert ended.state == "passed", ended.message
    with stage.database.read() as session:
        made, base = versions.listed(session)
        assert (made.name, made.gate, base.name) == ("v1", "passed", "base")
        assert versions.serving(session).version.is_base
        assert made.folder is not None
        verify_manifest(Path(made.folder), made.manifest_sha256)
    steps = [step.step for step in read_progress(stage.retraining.report_folder(run.id))]
    assert steps == [1, 2, 3]
    lines = (stage.retraining.report_folder(run.id) / "progress.jsonl").read_text().splitlines()
    assert sum('"event": "step"' in line for line in lines) == 3, "it was trained more than once"


def test_a_pair_taken_back_while_pairs_are_frozen_is_not_among_them(
    quick_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Snapshot] = []
    gone: list[int] = []

    def build_and_take_back(*arguments: Any, **options: Any) -> Snapshot:
        built.append(build_snapshot(*arguments, **options))
        if not gone:
            gone.append(built[0].pair_ids("train")[0])
            with quick_stage.database.write() as session:
                pairs.revoke(session, gone[0], "U9", "It was wrong.")
        return built[-1]

    monkeypatch.setattr("training.retrain.build_snapshot", build_and_take_back)
    quick_stage.retraining.run(quick_stage.claim(quick_stage.propose().id))
    assert len(built) == 2
    with quick_stage.database.read() as session:
        frozen = snapshots.pairs_in_last(session)
    assert frozen
    assert gone[0] not in frozen


def test_a_run_ends_with_a_measured_version_that_nobody_is_answered_by_yet(
    quick_stage: Stage,
) -> None:
    seen: list[str] = []
    run = quick_stage.claim(quick_stage.propose().id)
    ended = quick_stage.retraining.run(run, on_progress=lambda now: seen.append(now.state))
    assert ended.state == "passed", ended.message
    assert [state for n, state in enumerate(seen) if state not in seen[:n]] == [
        "preparing",
        "training",
        "merging",
        "evaluating",
    ]
    found = quick_stage.retraining.outcome(ended)
    assert found is not None
    assert found.decision.passed
    assert found.report.challenger.version == "v1"
    assert found.report.challenger.measures["right_source"].mean == 1.0
    assert len(found.report.loss) == 3
    plot = quick_stage.retraining.plot(ended)
    assert plot is not None
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "The gate let it through" in quick_stage.retraining.report_text(ended)
    said = ["Hei! The limit is 9 kroner a year. Just ask!", "According to the given text it is 9."]
    assert quick_stage.retraining.in_voice(ended, said) == [True, False]
    assert not (quick_stage.folder / "adapters" / "run-1").exists()
    assert not (quick_stage.folder / "runs" / "1" / "checkpoints").exists()
    with quick_stage.database.write() as session:
        assert versions.serving(session).version.is_base
        assert ended.version_id is not None
        now = versions.promote(
            session,
            ended.version_id,
            expected_revision=found.revision,
            actor="U1",
            reason="passed",
        )
        assert now.version.name == "v1"
        assert audit.first_broken(session) is None


def test_held_out_groups_stay_held_out_from_pair_to_snapshot(quick_stage: Stage) -> None:
    ended = quick_stage.retraining.run(quick_stage.claim(quick_stage.propose().id))
    assert ended.snapshot_id is not None
    with quick_stage.database.read() as session:
        record = snapshots.get(session, ended.snapshot_id)
        learned = set(snapshots.pair_ids(session, record.id, "train"))
        measured = set(snapshots.pair_ids(session, record.id, "held_out"))
    assert measured
    assert not learned & measured
    frozen = read_snapshot(
        quick_stage.folder / "snapshots" / f"{record.digest}.jsonl", record.digest
    )
    assert set(frozen.pair_ids("train")) == learned
    assert frozen.replay_rows == record.replay_rows > 0


def test_a_challenger_no_better_than_the_champion_is_refused_with_the_numbers(
    quick_stage: Stage,
) -> None:
    quick_stage.good = False
    ended = quick_stage.retraining.run(quick_stage.claim(quick_stage.propose().id))
    assert ended.state == "refused"
    assert "nothing is better beyond noise" in ended.message
    with quick_stage.database.read() as session:
        assert versions.by_name(session, "v1").gate == "refused"


def test_the_next_challenger_is_measured_against_the_champion_whose_answers_are_kept(
    quick_stage: Stage,
) -> None:
    first = quick_stage.retraining.run(quick_stage.claim(quick_stage.propose().id))
    with quick_stage.database.write() as session:
        assert first.version_id is not None
        versions.promote(
            session, first.version_id, expected_revision=0, actor="U1", reason="passed"
        )
    asked = dict(quick_stage.asked)
    second = quick_stage.retraining.run(quick_stage.claim(quick_stage.propose("2").id))
    assert second.state == "refused"
    assert quick_stage.asked["v1"] == asked["v1"]
    assert quick_stage.asked[versions.BASE] == asked[versions.BASE]
    found = quick_stage.retraining.outcome(second)
    assert found is not None
    assert (found.report.champion.version, found.report.challenger.version) == ("v1", "v2")


def test_a_cancelled_run_ends_and_leaves_nothing_behind(quick_stage: Stage) -> None:
    run = quick_stage.claim(quick_stage.propose().id)
    with quick_stage.database.write() as session:
        runs.cancel(session, run.id, "U2")
    ended = quick_stage.retraining.run(replace(run, cancelled_by="U2"))
    assert (ended.state, ended.message) == ("cancelled", "Cancelled by U2.")
    assert not list((quick_stage.folder / "versions").glob("*"))


def test_a_run_interrupted_by_a_shutdown_stays_open_for_the_next_start(quick_stage: Stage) -> None:
    run = quick_stage.claim(quick_stage.propose().id)
    with pytest.raises(RunInterrupted):
        quick_stage.retraining.run(run, should_stop=lambda: True)
    assert run_of(quick_stage, run.id).is_open
    assert quick_stage.retraining.run(quick_stage.claim(run.id, "next")).state == "passed"


def test_a_run_taken_over_by_another_process_writes_nothing_more(quick_stage: Stage) -> None:
    former = quick_stage.claim(quick_stage.propose().id, "a")
    quick_stage.claim(former.id, "b")
    with pytest.raises(RunLost):
        quick_stage.retraining.run(former)
    assert run_of(quick_stage, former.id).state == "queued"


def test_a_run_without_pairs_fails_with_what_is_missing(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    empty = Stage(tmp_path, tiny_model.folder)
    with empty.database.write() as session:
        versions.ensure_base(session)
    ended = empty.retraining.run(empty.claim(empty.propose().id))
    assert ended.state == "failed"
    assert "0 pairs are approved" in ended.message


def test_a_failed_run_says_why_and_frees_the_slot(stage: Stage, tmp_path: Path) -> None:
    broken = Stage(stage.folder, tmp_path / "no-model")
    ended = broken.retraining.run(broken.claim(broken.propose().id))
    assert ended.state == "failed"
    assert ended.error
    with stage.database.read() as session:
        assert runs.current(session) is None
        assert [version.name for version in versions.listed(session)] == ["base"]
    assert stage.propose("2").is_open


def test_the_voice_of_a_run_that_was_not_measured_is_unknown(quick_stage: Stage) -> None:
    with pytest.raises(VoiceUnclear):
        quick_stage.retraining.in_voice(quick_stage.propose(), ["Hei!"])


def test_what_the_corrections_changed_is_kept_with_the_report(quick_stage: Stage) -> None:
    with quick_stage.database.write() as session:
        session.execute(update(PairRow).where(PairRow.id <= 10).values(origin="slack"))
    ended = quick_stage.retraining.run(quick_stage.claim(quick_stage.propose().id))
    assert ended.report is not None
    changes = from_json(ended.report["changes"])
    with quick_stage.database.read() as session:
        learned = {p.id for p in pairs.approved(session) if not p.is_held_out and p.id <= 10}
    assert {change.pair_id for change in changes} == learned
    assert all(change.agrees_now and not change.agreed_before for change in changes)


def test_a_training_that_cannot_fit_is_refused_before_it_starts(stage: Stage) -> None:
    stage.retraining._free_memory = lambda: 1e8
    ended = stage.retraining.run(stage.claim(stage.propose().id))
    assert ended.state == "failed"
    assert "GB of memory, and 0.1 GB are free" in ended.message
    assert not (stage.folder / "adapters" / "run-1").exists()
    assert "together" in (stage.folder / "runs" / "1" / "plan.txt").read_text()
