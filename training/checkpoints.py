"""Checkpoints that are whole: one that was cut off by a crash is never resumed from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path

_SEAL = "complete.json"

log = logging.getLogger(__name__)


def seal(folder: Path) -> None:
    """Mark a checkpoint as whole: the SHA-256 of its files, flushed to disk, written last."""
    sums = {path.name: _digest(path, flush=True) for path in sorted(folder.iterdir())}
    temporary = folder / f".{_SEAL}"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(sums, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / _SEAL)


def last_whole(work: Path) -> Path | None:
    """Return the newest whole checkpoint under `work`; what is broken is deleted."""
    for folder in sorted(work.glob("checkpoint-*"), key=step_of, reverse=True):
        if _is_whole(folder):
            return folder
        log.warning("checkpoint_discarded folder=%s", folder.name)
        shutil.rmtree(folder, ignore_errors=True)
    return None


def _is_whole(folder: Path) -> bool:
    try:
        sums = json.loads((folder / _SEAL).read_text(encoding="utf-8"))
        return bool(sums) and all(_digest(folder / name) == sum_ for name, sum_ in sums.items())
    except (OSError, ValueError):
        return False


def step_of(folder: Path) -> int:
    """Return the step that a checkpoint was made after, by its name; -1 if that names none."""
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _digest(path: Path, *, flush: bool = False) -> str:
    with path.open("rb") as file:
        if flush:
            os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
