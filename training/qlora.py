"""The training process: `python -m training.qlora --job FILE`.

A process of its own, so that the bot answers while it runs and whatever happens to it happens to
it alone. It reports each step as a line of JSON on its standard output; everything else that it
or a library has to say goes to its standard error.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from training.exhaustion import is_disk_full, is_out_of_memory
from training.fine_tuning import TrainingDiverged, TrainingStopped, train
from training.job import FAILED, PROGRESS, STOPPED, TrainingJob
from training.snapshot import HeldOutLeaked, SnapshotBroken

#: A second process for the same work folder waits this long for the first to end.
LOCK_SECONDS = 120.0


class StillTraining(Exception):
    """Another process trains in the same work folder and does not end."""


def main(arguments: list[str] | None = None) -> int:
    """Carry out one training order; `training.job` has the exit codes and the lines."""
    parser = argparse.ArgumentParser(prog="training.qlora", description=__doc__)
    parser.add_argument("--job", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    parent = os.getppid()
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle

    def report(line: Mapping[str, Any]) -> None:
        text = json.dumps(line) + "\n"
        # Here and not by who listens: a step that was made after the parent was killed, and will
        # not be made again, would be told to nobody.
        _keep(chosen.job.with_name(PROGRESS), text)
        try:
            channel.write(text)
            channel.flush()
        except BrokenPipeError:
            asked.append(signal.SIGPIPE)  # nobody listens: the parent is gone

    try:
        job = TrainingJob.load(chosen.job)
        os.nice(job.recipe.nice)
        with _only_one(Path(job.work)):
            folder = train(job, report, lambda: bool(asked) or os.getppid() != parent)
        report({"event": "done", "adapter": folder.name})
        return 0
    except TrainingStopped as stopped:
        report({"event": "stopped", "message": str(stopped)})
        return STOPPED
    except Exception as error:
        logging.getLogger(__name__).exception("training_failed")
        cause, message = explain(error)
        report({"event": "failed", "cause": cause, "message": message})
        return FAILED


def _keep(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as record:
            record.write(text)
    except OSError as error:  # a full disk must not end a training that may yet get its space
        logging.getLogger(__name__).warning("progress_not_kept error=%s", error)


def explain(error: BaseException) -> tuple[str, str]:
    """Return the cause of a failed training in one word, and a sentence with what to do."""
    text = str(error)
    if is_disk_full(error):
        return "disk_full", "The disk is full. Free some space, then run the training again."
    if is_out_of_memory(error):
        return (
            "out_of_memory",
            "There was not enough memory. Lower training.batch_size or training.max_tokens.",
        )
    if isinstance(error, TrainingDiverged):
        return "diverged", text
    if isinstance(error, SnapshotBroken | HeldOutLeaked | StillTraining | ValueError):
        return "refused", text
    return "unexpected", f"{type(error).__name__}: {text}"


def _only_one(work: Path) -> IO[str]:
    """Take the lock of the work folder; closing the file gives it back.

    A process whose parent was killed notices that at its next step, keeps a checkpoint and ends.
    """
    work.mkdir(parents=True, exist_ok=True)
    file = (work / ".training").open("a", encoding="utf-8")
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise StillTraining(
                    f"Another process still trains in {work}; end it and try again."
                ) from None
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
