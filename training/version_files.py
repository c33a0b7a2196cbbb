"""The files of a version: its adapter, and the merged model where the engine wants one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from storage.failpoints import failpoint
from training.base_model import BaseModel
from training.manifest import flush_folder, read_manifest, write_manifest
from training.merge import merge_to_gguf

#: The merged model's file in a version's folder.
MERGED = "model.gguf"
#: The adapter's folder in a version's folder.
ADAPTER = "adapter"


def version_folder(folder: Path, run_id: int) -> Path:
    """Return where the version of a run lies, or will lie once it is whole."""
    return folder / "versions" / f"v{run_id}"


def write_version(
    base: BaseModel,
    adapter: Path,
    target: Path,
    scale: float,
    progress: Callable[[float], None],
) -> str:
    """Write a version's folder; it appears under its name only when it is whole.

    Args:
        base: The base model. Without a GGUF file nothing is merged: its engine takes adapters.
        adapter: The adapter's folder, verified.
        target: The folder to write.
        scale: By how much the adapter counts.
        progress: Called with the share of the merge that is done, 0 to 1.

    Returns:
        The SHA-256 of the manifest.
    """
    temporary = target.with_name(f".tmp-{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    # Checked by its own manifest so far, and by the version's from here on.
    shutil.copytree(adapter, temporary / ADAPTER, ignore=shutil.ignore_patterns("manifest.json"))
    _scale_down(temporary / ADAPTER / "adapter_config.json", scale)
    if base.gguf is not None:
        merge_to_gguf(base, adapter, temporary / MERGED, scale, progress)
    made = read_manifest(adapter)
    failpoint("version.before_manifest")
    lineage = {**made.lineage, "adapter_manifest": made.sha256, "adapter_scale": scale}
    if base.sha256:
        lineage["base_sha256"] = base.sha256
    sha256 = write_manifest(temporary, lineage)
    failpoint("version.after_manifest")
    temporary.rename(target)
    flush_folder(target.parent)
    return sha256


def _scale_down(config: Path, scale: float) -> None:
    """Let an adapter count by `scale` wherever it is loaded as it is.

    A low-rank adapter is added with the factor lora_alpha / r (E. Hu et al., "LoRA", 2021).
    """
    described = json.loads(config.read_text(encoding="utf-8"))
    described["lora_alpha"] = described["lora_alpha"] * scale
    config.write_text(json.dumps(described, indent=2), encoding="utf-8")


def sweep(folder: Path) -> int:
    """Delete what crashes left half written under `folder`; return how many things there were.

    Only for the process that owns the installation, before it starts anything.
    """
    left = [
        path
        for place in ("adapters", "versions", "snapshots")
        for path in (folder / place).glob(".tmp-*")
    ]
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)
