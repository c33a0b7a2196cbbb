"""Taking what a person wrote out of files: snapshots, the records of runs, and logs."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

from storage.traces import Traces

#: Files of words; all others in these folders are weights or pictures.
_WORDS = frozenset((".json", ".jsonl", ".log", ".txt", ".md", ".csv"))

#: Folders whose files are sealed by a manifest: a changed one would make its version unusable.
_SEALED = frozenset(("versions", "adapters"))

#: Weights, which are as large as the disk allows and hold no words to be found.
_WEIGHTS = frozenset((".gguf", ".safetensors", ".bin", ".pt"))

#: Bytes of a file that are searched at once, and how many of them are looked at twice.
_PIECE, _TWICE = 8 * 1024**2, 256


@dataclass(frozen=True)
class Found:
    """A file that held something of the person, and what was done about it."""

    path: str
    done: Literal["deleted", "rewritten"]


def clean_files(
    folder: Path, used: Collection[Path], traces: Traces, *, is_dry: bool = False
) -> tuple[Found, ...]:
    """Delete the snapshots that held the person's pairs, and take copies out of other files.

    Args:
        folder: Where snapshots, runs and versions lie.
        used: The files of the snapshots with pairs of the person. A snapshot is named by its
            content, so it cannot be changed, only deleted.
        traces: What to look for.
        is_dry: Whether only to tell what would be done.
    """
    done: list[Found] = []
    for path in _files(folder):
        inner = path.relative_to(folder).parts[0]
        if path.suffix not in _WORDS or inner in _SEALED:
            continue
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        if path not in used and not traces.holds(text):
            continue
        is_sealed = path in used or inner == "snapshots"
        done.append(Found(str(path), "deleted" if is_sealed else "rewritten"))
        if is_dry:
            continue
        if is_sealed:
            path.unlink()
        else:
            _rewrite(path, traces.taken_out_of(text))
    return tuple(done)


def clean_logs(folder: Path, traces: Traces, *, is_dry: bool = False) -> tuple[Found, ...]:
    """Take the person out of the logs, this process's own among them.

    A log is written over in place, because whoever writes it goes on at its end. With `is_dry` it
    is only told which would be.
    """
    done = []
    for path in _files(folder):
        with _nobody_logs_to(path):
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            if not traces.holds(text):
                continue
            done.append(Found(str(path), "rewritten"))
            if is_dry:
                continue
            cleaned = traces.taken_out_of(text).encode("utf-8", "surrogateescape")
            with path.open("r+b") as file:
                file.write(cleaned)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
    return tuple(done)


def files_with(places: Iterable[Path], traces: Traces) -> dict[str, int]:
    """Search files byte by byte. Returns in which how many parts of the texts still stand."""
    samples = traces.samples()
    left = {}
    for place in places:
        for path in _files(place) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in _WEIGHTS and (n := _count(path, samples)):
                left[str(path)] = n
    return left


def _count(path: Path, samples: Collection[bytes]) -> int:
    found: set[bytes] = set()
    with path.open("rb") as file:
        before = b""
        while piece := file.read(_PIECE):
            searched = before + piece
            found |= {sample for sample in samples if sample in searched}
            before = searched[-_TWICE:]
    return len(found)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _rewrite(path: Path, text: str) -> None:
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def _nobody_logs_to(path: Path) -> Iterator[None]:
    """Hold up this process's logging to a file."""
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, RotatingFileHandler) and Path(handler.baseFilename) == path
    ]
    for handler in handlers:
        handler.acquire()
        handler.flush()
    try:
        yield
    finally:
        for handler in handlers:
            handler.release()
