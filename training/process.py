"""Watching the training process: starting it, reading its lines, ending it, saying why it ended."""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from training.job import PROGRESS, STOPPED, TrainingJob, TrainingProgress

#: How long a training that was asked to stop may take to reach its next step and keep a
#: checkpoint, in seconds; then it is killed. The checkpoint before is kept in any case.
STOP_SECONDS = 120.0
#: How often it is looked whether the training should stop, in seconds.
_POLL_SECONDS = 0.5

log = logging.getLogger(__name__)


class TrainingFailed(Exception):
    """The training process ended without an adapter.

    Attributes:
        cause: In one word: disk_full, out_of_memory, diverged, refused, killed, time_limit,
            unexpected.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class TrainingCancelled(Exception):
    """The training was asked to stop and did; it can be resumed from its checkpoint."""


def run_training(
    job: TrainingJob,
    folder: Path,
    on_progress: Callable[[TrainingProgress], None],
    should_stop: Callable[[], bool],
) -> Path:
    """Run one training in a process of its own and wait for its adapter.

    Called again after a crash it resumes from the last whole checkpoint, or finds the adapter
    finished and returns at once.

    Args:
        job: The order.
        folder: The run's folder: `job.json`, `training.log` and, written by the process itself,
            `progress.jsonl` are kept there.
        on_progress: Called with each step, in the caller's thread. If it raises, the process is
            stopped and the exception goes on.
        should_stop: Asked twice a second.

    Returns:
        The adapter's folder, with its manifest.

    Raises:
        TrainingFailed: it ended without an adapter; the message says why and what to do.
        TrainingCancelled: `should_stop` said so.
    """
    finished = Path(job.adapters) / job.name
    if finished.exists():
        return finished
    folder.mkdir(parents=True, exist_ok=True)
    order = folder / "job.json"
    job.save(order)
    with (folder / "training.log").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "training.qlora", "--job", str(order)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=training_environment(job.recipe.threads),
            cwd=Path(__file__).parents[1],
        )
    assert process.stdout is not None
    last: Mapping[str, Any] = {}
    try:
        last = _follow(process, job, on_progress, should_stop)
        process.wait(timeout=STOP_SECONDS)  # it has said its last line
    except subprocess.TimeoutExpired:
        log.warning("training_hangs_at_its_end run=%d", job.run)
    finally:
        _end(process)
        process.stdout.close()
    if process.returncode == 0 and finished.exists():
        return finished
    if process.returncode == STOPPED:
        raise TrainingCancelled(str(last.get("message", "The training was stopped.")))
    if last.get("event") == "failed":
        raise TrainingFailed(str(last["cause"]), str(last["message"]))
    # A shell reports a signal as 128 and its number.
    by_signal = process.returncode < 0 or process.returncode > 128
    raise TrainingFailed(
        "killed" if by_signal else "unexpected",
        _how_it_died(process.returncode, folder / "training.log"),
    )


def training_environment(threads: int) -> dict[str, str]:
    """Return the environment of a training process: no network, bounded threads, fast memory."""
    quiet = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "WANDB_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }
    # glibc hands large blocks back to the kernel after each use, and every step pays for getting
    # them zeroed again. Keeping them made a training step 1.3 to 1.7 times as fast here.
    memory = {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
        "MALLOC_TOP_PAD_": str(256 << 20),
    }
    bound = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    # Slack's secrets are none of its business.
    given = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in ("TOKEN", "SECRET", "PASSWORD", "API_KEY"))
    }
    return given | quiet | memory | bound


def read_progress(folder: Path) -> tuple[TrainingProgress, ...]:
    """Return the steps of a run, in order; of a step that was repeated, the last report."""
    names = {field.name for field in fields(TrainingProgress)}
    steps: dict[int, TrainingProgress] = {}
    try:
        lines = (folder / PROGRESS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    for line in lines:
        found = _parse(line)
        if found.get("event") == "step":
            steps[found["step"]] = TrainingProgress(**{name: found[name] for name in names})
    return tuple(steps[number] for number in sorted(steps))


def _follow(
    process: subprocess.Popen[bytes],
    job: TrainingJob,
    on_progress: Callable[[TrainingProgress], None],
    should_stop: Callable[[], bool],
) -> Mapping[str, Any]:
    """Read the process's lines until it ends; return the last one."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def pump() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, name=f"training-{job.run}", daemon=True).start()
    names = {field.name for field in fields(TrainingProgress)}
    last: Mapping[str, Any] = {}
    deadline = time.monotonic() + job.recipe.time_limit
    asked_at: float | None = None
    while True:
        try:
            line = lines.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            line = b""
        if line is None:
            return last
        if line:
            last = _parse(line.decode(errors="replace"))
            if last.get("event") == "step":
                on_progress(TrainingProgress(**{name: last[name] for name in names}))
        now = time.monotonic()
        if asked_at is None and should_stop():
            log.info("training_stopping run=%d", job.run)
            process.terminate()
            asked_at = now
        elif asked_at is not None and now > asked_at + STOP_SECONDS:
            process.kill()
        elif now > deadline:
            raise TrainingFailed(
                "time_limit",
                f"The training took longer than {job.recipe.time_limit / 3600:.1f} hours.",
            )


def _parse(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, gently if there is time."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _how_it_died(code: int, errors: Path) -> str:
    if code == -9:
        return (
            "The training process was killed, most often because memory ran out. Lower "
            "training.batch_size or training.max_tokens, or run it where there is more memory."
        )
    tail = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    said = f" Its last words: {tail[0]}" if tail else ""
    return f"The training process ended with code {code} before the adapter was there.{said}"
