"""Why a run came to a stop, in words, and whether it can go on from where it was."""

from __future__ import annotations

from pathlib import Path

from training import checkpoints
from training.evaluation.likelihood import LikelihoodFailed
from training.evaluation.voice import VoiceUnclear
from training.exhaustion import is_disk_full, is_out_of_memory
from training.manifest import ManifestBroken
from training.merge import MergeFailed
from training.planner import RunTooLarge
from training.process import TrainingFailed, read_progress
from training.snapshot import HeldOutLeaked, SnapshotBroken


class RunImpossible(Exception):
    """There is nothing to train on or to measure with; the message says what is missing."""


#: Ends of a training process that say nothing against what was trained so far.
_PASSING = ("disk_full", "out_of_memory", "killed")


def explain(error: Exception) -> str:
    """Return a sentence for people; what nobody expected is named by its kind only."""
    if isinstance(
        error,
        TrainingFailed
        | SnapshotBroken
        | HeldOutLeaked
        | ManifestBroken
        | MergeFailed
        | LikelihoodFailed
        | VoiceUnclear
        | RunImpossible
        | RunTooLarge,
    ):
        return str(error)
    if is_disk_full(error):
        return "The disk is full. Free some space, then run the training again."
    if is_out_of_memory(error):
        return "There was not enough memory. Free some, then run the training again."
    return f"something unexpected happened ({type(error).__name__}); the log has the details."


def can_go_on(error: Exception, work: Path) -> bool:
    """Whether a run may be gone on with, because what stopped it may pass.

    Args:
        error: What stopped it.
        work: Where its checkpoints are.
    """
    if isinstance(error, TrainingFailed):
        return error.cause in _PASSING
    if isinstance(error, RunTooLarge):
        return checkpoints.last_whole(work) is not None  # it did fit when they were made
    return is_disk_full(error) or is_out_of_memory(error)


def paused(why: str, folder: Path) -> str:
    """Say why a run is paused, what of it is kept, and how it goes on.

    Args:
        why: Why, in a sentence or more.
        folder: The run's folder, with its progress and its checkpoints.
    """
    why = why if why.endswith((".", "!", "?")) else f"{why}."
    work = folder / "checkpoints"
    kept, steps = checkpoints.last_whole(work), read_progress(folder)
    if kept is None or not steps:
        return (
            f"Paused: {why} No step is lost. `skredder train run` or `/retrain run` goes on, "
            "`skredder train cancel` gives the run up."
        )
    return (
        f"Paused: {why} Step {steps[-1].step} of {steps[-1].steps} was reached, and the "
        f"checkpoint of step {checkpoints.step_of(kept)} is kept in {work}. `skredder train run` "
        "or `/retrain run` goes on from it, `skredder train cancel` gives the run up."
    )
