from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.failpoints import KILLED
from tests.training.samples import (
    pair,
    row_maker,
)
from training import checkpoints
from training.base_model import BaseModel
from training.job import TrainingJob, TrainingProgress
from training.manifest import verify_manifest
from training.process import (
    TrainingCancelled,
    TrainingFailed,
    read_progress,
    run_training,
    training_environment,
)
from training.qlora import explain
from training.recipe import Recipe
from training.snapshot import Snapshot, build_snapshot

#: Six steps: 24 rows in batches of four.
RECIPE = Recipe(
    batch_size=4,
    checkpoint_every=2,
    replay_share=0.0,
    unanswerable_share=0.0,
    bare_share=0.0,
    nice=0,
    learning_rate=1e-2,
)


def snapshot(folder: Path) -> Snapshot:
    pairs = [pair(n, split="held_out" if n > 24 else "train") for n in range(1, 31)]
    return build_snapshot(
        pairs,
        [],
        folder=folder / "snapshots",
        base="tiny-model",
        make=row_maker(RECIPE),
    )


def order(base: BaseModel, folder: Path, **recipe: Any) -> TrainingJob:
    frozen = snapshot(folder)
    (folder / "adapters").mkdir(parents=True, exist_ok=True)
    fields = {name: getattr(RECIPE, name) for name in Recipe.__dataclass_fields__}
    return TrainingJob(
        run=1,
        base=str(base.folder),
        base_name=base.name,
        snapshot=str(frozen.path),
        digest=frozen.digest,
        work=str(folder / "work"),
        adapters=str(folder / "adapters"),
        name="run-1",
        recipe=Recipe(**(fields | recipe)),
    )


def ignore(_progress: TrainingProgress) -> None:
    pass


def never() -> bool:
    return False


def weights(adapter: Path) -> Any:
    from safetensors.torch import load_file

    return load_file(adapter / "adapter_model.safetensors")


def killed_at(job: TrainingJob, folder: Path, where: str) -> None:
    """Run a training that is killed at a failpoint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKREDDER_FAIL_AT", where)
        with pytest.raises(TrainingFailed, match=str(KILLED)) as failed:
            run_training(job, folder / "run", ignore, never)
    assert failed.value.cause == "killed"


def test_a_training_killed_anywhere_goes_on_and_ends_as_if_undisturbed(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    undisturbed = run_training(order(tiny_model, calm), calm / "run", ignore, never)
    verify_manifest(undisturbed)
    steps = read_progress(calm / "run")
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    assert steps[-1].loss < steps[0].loss
    assert steps[-1].tokens_per_second > 0

    job = order(tiny_model, rough)
    killed_at(job, rough, "training.step:3")  # after the checkpoint of step 2
    killed_at(job, rough, "training.checkpoint:1")  # in the checkpoint of step 4
    killed_at(job, rough, "training.before_manifest")
    assert not (rough / "adapters" / "run-1").exists()
    killed_at(job, rough, "training.after_manifest")
    assert not (rough / "adapters" / "run-1").exists()
    finished = run_training(job, rough / "run", ignore, never)
    verify_manifest(finished)
    assert not list((rough / "adapters").glob(".tmp-*"))
    repeated = read_progress(rough / "run")
    assert [step.step for step in repeated] == [1, 2, 3, 4, 5, 6]
    assert [step.loss for step in repeated] == pytest.approx(
        [step.loss for step in steps], rel=0.01
    )
    import torch

    ours, theirs = weights(finished), weights(undisturbed)
    assert set(ours) == set(theirs)
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)


def test_a_training_asked_to_stop_keeps_a_checkpoint_and_goes_on_later(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    job = order(tiny_model, tmp_path, checkpoint_every=100, epochs=20)
    seen: list[int] = []

    def stop_soon() -> bool:
        return bool(seen)

    with pytest.raises(TrainingCancelled):
        run_training(job, tmp_path / "run", lambda progress: seen.append(progress.step), stop_soon)
    kept = checkpoints.last_whole(Path(job.work))
    assert kept is not None
    assert int(kept.name.rpartition("-")[2]) >= 1
    assert not (tmp_path / "adapters" / "run-1").exists()


def test_a_training_whose_parent_is_gone_stops_by_itself(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    job = order(tiny_model, tmp_path, epochs=200)
    path = tmp_path / "job.json"
    job.save(path)
    # The shell starts the training, says its number and is gone: as when the bot is killed.
    shell = subprocess.Popen(
        ["sh", "-c", f'{sys.executable} -m training.qlora --job "{path}" & echo $!; sleep 60'],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=training_environment(0),
        start_new_session=True,
    )
    assert shell.stdout is not None
    child = int(shell.stdout.readline())
    for line in shell.stdout:
        if json.loads(line)["event"] == "step":
            break
    shell.kill()
    shell.wait()
    deadline = time.monotonic() + 60
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    is_left = _is_running(child)
    if is_left:
        os.kill(child, signal.SIGKILL)
    shell.stdout.close()
    assert not is_left
    assert checkpoints.last_whole(Path(job.work)) is not None


def test_a_training_that_diverges_says_so(tiny_model: BaseModel, tmp_path: Path) -> None:
    job = order(tiny_model, tmp_path, learning_rate=1e30, clip=1e30, warmup_steps=0)
    with pytest.raises(TrainingFailed, match="Lower the learning rate") as failed:
        run_training(job, tmp_path / "run", ignore, never)
    assert failed.value.cause == "diverged"
    assert not list((tmp_path / "adapters").iterdir())


def test_a_training_on_altered_rows_is_refused(tiny_model: BaseModel, tmp_path: Path) -> None:
    job = order(tiny_model, tmp_path)
    path = Path(job.snapshot)
    path.write_text(path.read_text(encoding="utf-8").replace("Hei!", "Hoi!"), encoding="utf-8")
    with pytest.raises(TrainingFailed, match="was changed") as failed:
        run_training(job, tmp_path / "run", ignore, never)
    assert failed.value.cause == "refused"


def test_a_finished_adapter_is_not_trained_again(tmp_path: Path) -> None:
    nowhere = BaseModel("none", tmp_path / "no-model", None)
    job = order(nowhere, tmp_path)
    finished = tmp_path / "adapters" / "run-1"
    finished.mkdir()
    assert run_training(job, tmp_path / "run", ignore, never) == finished


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (
            RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598"),
            "disk_full",
        ),
        (
            RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
            "disk_full",
        ),
        (RuntimeError("PytorchStreamReader failed reading zip archive: not a file"), "unexpected"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (KeyError("x"), "unexpected"),
    ],
)
def test_a_failure_is_named_with_what_to_do(error: Exception, cause: str) -> None:
    assert explain(error)[0] == cause


def test_a_disk_that_is_full_is_recognised_in_what_pytorch_makes_of_it() -> None:
    import torch

    class FullDisk(io.RawIOBase):
        written = 0

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.written += len(data)
            if self.written > 5_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return len(data)

    with pytest.raises(RuntimeError) as failed:
        torch.save({"weights": torch.zeros(10_000)}, FullDisk())
    assert explain(failed.value)[0] == "disk_full"


def test_a_process_that_ends_by_itself_without_a_word_was_not_killed(
    tiny_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(TrainingFailed, match="ended with code 3") as failed:
        run_training(order(tiny_model, tmp_path), tmp_path / "run", ignore, never)
    assert failed.value.cause == "unexpected"


def test_a_training_process_learns_no_secret_and_stays_offline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")
    given = training_environment(2)
    assert "xoxb-1" not in given.values()
    assert "SLACK_SIGNING_SECRET" not in given
    assert given["HF_HUB_OFFLINE"] == "1"
    assert given["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "complete.json").unlink(),
        lambda folder: (folder / "optimizer.pt").write_bytes(b"x"),
        lambda folder: (folder / "optimizer.pt").unlink(),
    ],
)
def test_a_broken_checkpoint_gives_way_to_the_one_before(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    for number in (9, 10):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        (folder / "optimizer.pt").write_bytes(b"weights" * number)
        checkpoints.seal(folder)
    assert checkpoints.last_whole(tmp_path) == tmp_path / "checkpoint-10"
    damage(tmp_path / "checkpoint-10")
    assert checkpoints.last_whole(tmp_path) == tmp_path / "checkpoint-9"
    assert not (tmp_path / "checkpoint-10").exists()


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return state[0] != "Z"
