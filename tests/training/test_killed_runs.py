"""`kill -9` at random moments of a run: it ends as if undisturbed, and nothing is written twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage import runs, snapshots, versions
from storage.runs import Run
from tests.training.retraining_stage import Stage
from training.base_model import BaseModel
from training.manifest import verify_manifest
from training.process import read_progress
from training.version_files import sweep

ROOT = Path(__file__).parents[2]

#: How often a run is killed; `make test-long` does it twenty times.
KILLS = 20 if os.environ.get("SKREDDER_LONG") else 1

#: 3 steps each, so that training takes a good part of the time.
EPOCHS = 4.0


def start(stage: Stage) -> subprocess.Popen[str]:
    """Take the open run on in a process of its own."""
    program = str(ROOT / "tests" / "training" / "retraining_stage.py")
    return subprocess.Popen(
        [sys.executable, program, str(stage.folder), str(stage.model), "child", str(EPOCHS)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_killed_at_random_moments_ends_as_if_undisturbed(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    calm = Stage(made(tmp_path / "calm"), tiny_model.folder, epochs=EPOCHS)
    calm.fill()
    began = time.monotonic()
    calm.propose()
    child = start(calm)
    said, errors = child.communicate()
    assert said == "passed\n", errors
    takes = time.monotonic() - began
    undisturbed = losses(calm, 1)
    assert len(undisturbed) == 3 * EPOCHS

    rough = Stage(made(tmp_path / "rough"), tiny_model.folder, epochs=EPOCHS)
    rough.fill()
    chance, killed, in_training, ended = random.Random(5), 0, 0, 0
    while killed < KILLS:
        run = open_run(rough)
        if run is None:
            ended += 1
            run = rough.propose(f"period {ended}")
        child = start(rough)
        time.sleep(chance.uniform(0.2, takes))
        child.send_signal(signal.SIGKILL)
        said, errors = child.communicate()
        assert child.returncode == -signal.SIGKILL or said, errors
        killed += child.returncode == -signal.SIGKILL
        now = run_of(rough, run.id)
        in_training += now.is_open and now.state == "training"
        sweep(rough.folder)
        for folder in (rough.folder / "versions").glob("*"):
            verify_manifest(folder)
        with rough.database.read() as session:
            known = [version.name for version in versions.listed(session) if not version.is_base]
        assert len(known) == len(set(known)) == sum(not r.is_open for r in all_runs(rough))
    assert in_training >= KILLS // 4, "no kill came while something was being trained"
    if open_run(rough) is not None:
        said, errors = start(rough).communicate()
        assert said == "passed\n", errors

    finished = all_runs(rough)
    for run in finished:
        assert run.state == "passed", run.message
        assert losses(rough, run.id) == pytest.approx(undisturbed, rel=0.01)
    with rough.database.read() as session:
        made_of = {run.snapshot_id for run in finished}
        assert len(made_of) == 1, "the same pairs were frozen more than once"
        assert snapshots.get(session, next(iter(made_of)) or 0).train_pairs > 0
    for folder in (rough.folder / "versions").glob("*"):
        verify_manifest(folder)
    assert not list((rough.folder / "versions").glob(".tmp-*"))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def losses(stage: Stage, run_id: int) -> list[float]:
    steps = read_progress(stage.retraining.report_folder(run_id))
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    return [step.loss for step in steps]


def open_run(stage: Stage) -> Run | None:
    with stage.database.read() as session:
        return runs.current(session)


def run_of(stage: Stage, run_id: int) -> Run:
    with stage.database.read() as session:
        return runs.get(session, run_id)


def all_runs(stage: Stage) -> list[Run]:
    with stage.database.read() as session:
        return list(runs.listed(session, limit=100))
