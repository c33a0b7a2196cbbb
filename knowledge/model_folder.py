"""A sentence-transformers model that the settings name: found, fetched if it must be, and checked.

Nothing is loaded that could run code: weights are safetensors, and a folder that holds anything
else (pickled weights, Python files) is refused.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

#: What is fetched of a hub model: the weights and what describes them, nothing that runs.
FETCHED = ("*.safetensors", "*.json", "*.jinja", "tokenizer*", "*.model", "vocab.txt", "README.md")

_CAN_RUN_CODE = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".py", ".so"})

#: What decides which vectors come out, beside the weights.
_DECIDES = frozenset({".safetensors", ".json", ".model", ".txt"})


class ModelFolderUnusable(Exception):
    """The model is not there or may not be loaded; the message says what to do."""


def find_model(named: str, setting: str) -> Path:
    """Return the folder of a model, fetching a hub model that was not fetched before.

    Args:
        named: A folder, or the id of a hub model. It is fetched by a process of its own: this one
            stays offline.
        setting: What the settings call it, for messages.

    Raises:
        ModelFolderUnusable: there is no such model, or loading it could run code.
    """
    folder = Path(named).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or named.startswith((".", "~")):
            raise ModelFolderUnusable(
                f"There is no folder {folder}. Mend `{setting}` in the settings."
            )
        folder = _fetched(named, setting)
    if not any(folder.rglob("*.safetensors")):
        raise ModelFolderUnusable(
            f"{folder} holds no safetensors file, and nothing else is loaded. "
            f"Name another model under `{setting}` in the settings."
        )
    if unsafe := sorted(p for p in folder.rglob("*") if p.suffix.lower() in _CAN_RUN_CODE):
        raise ModelFolderUnusable(
            f"{unsafe[0]} could run code. Delete it if the safetensors beside it are enough, "
            f"or name another model under `{setting}` in the settings."
        )
    return folder


def space_name(named: str, folder: Path) -> str:
    """Return a name that changes with everything that decides about the model's output.

    It consists of letters, digits, `-` and `.`, and reads like the model's own name.
    """
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _DECIDES):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    readable = re.sub(r"[^a-z0-9]+", "-", Path(named).name.lower()).strip("-")[:60]
    return f"{readable or 'model'}-{digest.hexdigest()[:12]}"


def description(folder: Path, file: str) -> dict[str, Any]:
    """Return one of the model's JSON files; an empty one if it is missing or broken."""
    try:
        content = json.loads((folder / file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _fetched(named: str, setting: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    patterns = list(FETCHED)
    try:
        return Path(snapshot_download(named, allow_patterns=patterns, local_files_only=True))
    except HFValidationError as error:
        raise ModelFolderUnusable(
            f"`{setting}` = {named!r} is neither a folder nor a hub model's id. "
            "Mend it in the settings."
        ) from error
    except LocalEntryNotFoundError:
        log.info("fetching model=%s", named)
    program = (
        "import sys; from huggingface_hub import snapshot_download;"
        "snapshot_download(sys.argv[1], allow_patterns=sys.argv[2:])"
    )
    fetching = subprocess.run(
        [sys.executable, "-c", program, named, *patterns],
        env={**os.environ, "HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0"},
        check=False,
        capture_output=True,
        text=True,
    )
    if fetching.returncode != 0:
        reason = fetching.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ModelFolderUnusable(
            f"`{setting}` = {named!r} could not be fetched ({reason[0]}). There is no such folder "
            "either. Look whether the id is right and the hub can be reached, or fetch the model "
            "on another machine and name its folder."
        )
    return Path(snapshot_download(named, allow_patterns=patterns, local_files_only=True))


def load_cross_encoder(folder: Path) -> Any:
    """Load a cross-encoder: safetensors only, nothing of the folder's is run, nothing is fetched.

    Raises:
        Exception: whatever the many model classes raise.
    """
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return CrossEncoder(
        str(folder),
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
