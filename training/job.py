"""The order that a training process gets, and the lines it reports back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from training.recipe import Recipe

#: The file beside an order that its process writes each line into, too.
PROGRESS = "progress.jsonl"
#: Exit code of a training that was asked to stop and left a checkpoint (EX_TEMPFAIL).
STOPPED = 75
#: Exit code of a training that failed and said why on its last line.
FAILED = 1


@dataclass(frozen=True)
class TrainingJob:
    """What one training process is to do. All paths are absolute."""

    run: int
    #: Folder with the base model in Hugging Face's layout.
    base: str
    base_name: str
    #: The snapshot's rows and the SHA-256 they must have.
    snapshot: str
    digest: str
    #: Where checkpoints are kept.
    work: str
    #: Folder in which the finished adapter appears, under the name `name`.
    adapters: str
    name: str
    recipe: Recipe

    def save(self, path: Path) -> None:
        """Write the order as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> TrainingJob:
        """Read an order back. Raises `ValueError` when it is not one."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return TrainingJob(**(fields | {"recipe": Recipe(**fields["recipe"])}))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a training order: {error}.") from error


@dataclass(frozen=True)
class TrainingProgress:
    """One optimiser step, as the training process reports it."""

    step: int
    steps: int
    #: Mean negative log-likelihood of the answer tokens of this step's rows, in nats.
    loss: float
    #: Real tokens (no padding) a second, over this process's steps.
    tokens_per_second: float
    seconds_left: float
    #: Largest resident memory so far, in bytes.
    memory: int
