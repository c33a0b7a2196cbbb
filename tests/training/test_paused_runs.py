"""What stops a training from outside costs no step: it is gone on with, or waits to be."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from storage import jobs, runs
from storage.runs import Run
from tests.training.retraining_stage import Stage
from training.base_model import BaseModel
from training.process import read_progress
from training.retrain import KILLS_BORNE

ROOT = Path(__file__).parents[2]

#: Twelve steps, with a checkpoint after every second.
EPOCHS = 4.0


@pytest.fixture
def stage(tiny_model: BaseModel, tmp_path: Path) -> Stage:
    """A folder with forty approved pairs."""
    made = Stage(tmp_path, tiny_model.folder, epochs=EPOCHS)
    made.fill()
    return made


def kill_from(step: int, most: int) -> tuple[Callable[[Run], None], list[int]]:
    """Return what kills the training process at a step, and as often anew; and at which steps."""
    killed: list[int] = []

    def kill(run: Run) -> None:
        if run.state != "training" or run.step < step or len(killed) >= most:
            return
        for child in psutil.Process().children():
            if "training.qlora" in child.cmdline() and child.pid not in gone:
                child.kill()
                gone.add(child.pid)
                killed.append(run.step)

    gone: set[int] = set()
    return kill, killed


def resumed(stage: Stage, run: Run) -> Run:
    """Let a paused run go on, and do it."""
    with stage.database.write() as session:
        assert runs.resume(session, run.id, "U1").state == "queued"
    return stage.retraining.run(stage.claim(run.id, "next"))


def lines(stage: Stage, run: Run, event: str) -> list[str]:
    progress = stage.retraining.report_folder(run.id) / "progress.jsonl"
    return [line for line in progress.read_text().splitlines() if f'"event": "{event}"' in line]


def test_a_training_process_that_is_killed_goes_on_from_its_checkpoint_by_itself(
    stage: Stage,
) -> None:
    kill, killed = kill_from(step=3, most=1)
    ended = stage.retraining.run(stage.claim(stage.propose().id), on_progress=kill)
    assert ended.state == "passed", ended.message
    assert len(killed) == 1
    began = lines(stage, ended, "began")
    assert len(began) == 2
    assert '"resumed": "checkpoint-' in began[1]
    steps = [step.step for step in read_progress(stage.retraining.report_folder(ended.id))]
    assert steps == list(range(1, 13))


def test_a_training_process_that_is_killed_again_and_again_waits_with_its_checkpoint(
    stage: Stage,
) -> None:
    kill, killed = kill_from(step=3, most=100)
    run = stage.retraining.run(stage.claim(stage.propose().id), on_progress=kill)
    assert len(killed) == KILLS_BORNE + 1
    assert run.is_paused
    assert run.is_open
    kept = stage.retraining.report_folder(run.id) / "checkpoints"
    assert "Paused: The training process was killed" in run.message
    assert f"is kept in {kept}" in run.message
    assert "of 12 was reached" in run.message
    assert "`skredder train run` or `/retrain run` goes on from it" in run.message
    before = len(lines(stage, run, "step"))

    ended = resumed(stage, run)
    assert ended.state == "passed", ended.message
    assert '"resumed": "checkpoint-' in lines(stage, ended, "began")[-1]
    assert len(lines(stage, ended, "step")) - before < 12, "it began anew"
    assert not kept.exists()


def test_a_disk_that_is_full_makes_a_run_wait_and_its_half_checkpoint_is_never_used(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "sitecustomize.py").write_text(
        "import errno, os\n"
        "flush = os.fsync\n"
        "def full(file):\n"
        "    if 'checkpoint-6' in os.readlink(f'/proc/self/fd/{file}'):\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "    flush(file)\n"
        "os.fsync = full\n"
    )
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tmp_path / 'full'}{os.pathsep}{ROOT}")
        run = stage.retraining.run(stage.claim(stage.propose().id))
    assert run.is_paused, run.message
    assert "Paused: The disk is full. Free some space" in run.message
    assert "Step 6 of 12 was reached, and the checkpoint of step 4 is kept" in run.message
    work = stage.retraining.report_folder(run.id) / "checkpoints"
    assert not (work / "checkpoint-6").exists()

    ended = resumed(stage, run)
    assert ended.state == "passed", ended.message
    assert '"resumed": "checkpoint-4"' in lines(stage, ended, "began")[-1]


def test_a_disk_that_is_full_before_anything_is_trained_makes_a_run_wait_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("training.retrain.build_snapshot", full)
        run = stage.retraining.run(stage.claim(stage.propose().id))
    assert run.is_paused
    assert "No step is lost" in run.message


def test_a_run_given_up_while_it_was_paused_leaves_nothing_behind(stage: Stage) -> None:
    run = stage.claim(stage.propose().id)
    work = stage.retraining.report_folder(run.id) / "checkpoints"
    work.mkdir(parents=True)
    with stage.database.write() as session:
        runs.pause(session, run.id, run.attempt, "Paused: The disk is full.")
        assert runs.cancel(session, run.id, "U2").is_open
        job = jobs.claim(session, "next", timedelta(minutes=1), ["retrain"])
    assert job is not None
    assert job.payload["run_id"] == run.id
    ended = stage.retraining.run(stage.claim(run.id, "next"))
    assert (ended.state, ended.message) == ("cancelled", "Cancelled by U2.")
    assert not work.exists()
