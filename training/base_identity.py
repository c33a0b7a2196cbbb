"""What a base model is known by: the SHA-256 of its weights, wherever they lie."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

#: Where the digests that were computed are kept: gigabytes are not read at every start.
KEPT = "weights.json"


def weights_sha256(folder: Path, cache: Path) -> str:
    """Return the SHA-256 of all safetensors files of a model together, by their names.

    A file whose size and time of change are as they were when it was last read is not read again.

    Args:
        folder: The model in transformers' format.
        cache: Where digests are kept.
    """
    kept = _kept(cache / KEPT)
    digests, is_new = [], False
    for path in sorted(folder.glob("*.safetensors")):
        found = path.stat()
        seen = {"size": found.st_size, "changed": found.st_mtime_ns}
        known = kept.get(str(path.resolve()))
        if not isinstance(known, dict) or {name: known.get(name) for name in seen} != seen:
            with path.open("rb") as file:
                known = {**seen, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
            kept[str(path.resolve())] = known
            is_new = True
        digests.append(f"{path.name} {known['sha256']}\n")
    if is_new:
        _keep(cache / KEPT, kept)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(path: Path, kept: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    temporary.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")
    temporary.replace(path)
