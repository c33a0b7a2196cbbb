"""The manifest of a folder of weights: SHA-256 of every file, written last, checked before loading.

A safetensors file with a flipped bit loads without a word, so nothing is loaded that does not
match what was written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "manifest.json"

#: Endings of files that can run code when they are loaded. None of them belongs with weights.
_CAN_RUN_CODE = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".py", ".so"})

_CHUNK = 1 << 20


class ManifestBroken(Exception):
    """The folder does not hold what its manifest says; the message names the file."""


@dataclass(frozen=True)
class Manifest:
    """What a folder holds, and where it comes from."""

    files: Mapping[str, str]
    lineage: Mapping[str, Any]
    sha256: str


def write_manifest(folder: Path, lineage: Mapping[str, Any]) -> str:
    """Write the manifest of all files in `folder`; they and it are flushed to the disk.

    Args:
        folder: A folder of weights that nobody writes to any more.
        lineage: What the weights were made from; values must be JSON.

    Returns:
        The SHA-256 of the manifest itself.

    Raises:
        ManifestBroken: the folder holds a file that could run code.
    """
    files = {name: _sha256(folder / name) for name in _files(folder)}
    for name in files:
        _flush(folder / name)
    for inner in {(folder / name).parent for name in files} - {folder}:
        _flush(inner)
    text = json.dumps({"files": files, "lineage": dict(lineage)}, sort_keys=True, indent=1)
    temporary = folder / f".{NAME}.tmp"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / NAME)
    flush_folder(folder)
    return hashlib.sha256(text.encode()).hexdigest()


def verify_manifest(folder: Path, expected: str | None = None) -> Manifest:
    """Check every file in `folder` against the manifest.

    Args:
        folder: The folder to check.
        expected: The SHA-256 that the manifest itself must have, if it is known.

    Raises:
        ManifestBroken: a file is missing, altered, or not listed, or the manifest is.
    """
    manifest = read_manifest(folder)
    if expected is not None and manifest.sha256 != expected:
        raise ManifestBroken(f"The manifest of {folder} is not the one that was recorded.")
    found = _files(folder)
    if missing := sorted(set(manifest.files) - set(found)):
        raise ManifestBroken(f"{folder / missing[0]} is missing.")
    if extra := sorted(set(found) - set(manifest.files)):
        raise ManifestBroken(f"{folder / extra[0]} is not in the manifest.")
    for name, sha256 in manifest.files.items():
        if _sha256(folder / name) != sha256:
            raise ManifestBroken(
                f"{folder / name} is damaged: its SHA-256 is not the recorded one."
            )
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest without checking the files. Raises `ManifestBroken`."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
        content = json.loads(text)
        return Manifest(
            dict(content["files"]),
            dict(content["lineage"]),
            hashlib.sha256(text.encode()).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestBroken(f"{folder} has no readable manifest: {error}.") from error


def may_run_code(path: Path) -> bool:
    """Whether a file of this name could run code when somebody loads it."""
    return path.suffix.lower() in _CAN_RUN_CODE


def flush_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path) -> list[str]:
    names = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or (path.is_file() and may_run_code(path)):
            raise ManifestBroken(
                f"{path} may not lie with weights: it could run code or lead away."
            )
        if path.is_file() and name not in (NAME, f".{NAME}.tmp"):
            names.append(name)
    return names


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
