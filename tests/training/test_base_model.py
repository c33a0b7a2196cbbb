"""The base model: only the pinned weights, only safetensors, and nothing sent anywhere."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from training import base_model as module
from training.base_model import (
    BaseModel,
    BaseModelCorrupt,
    BaseModelMissing,
    prepare,
    prepare_bundled,
    verify,
)


def test_the_bundled_model_is_converted_once_and_whole(base_model: BaseModel) -> None:
    verify(base_model)
    steps: list[str] = []
    again = prepare_bundled(base_model.folder.parent, lambda step, _share: steps.append(step))
    assert again == base_model
    assert steps == ["The model is ready"]


def test_weights_that_are_not_the_pinned_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / module.BUNDLED_FILE
    shutil.copy(module._bundled_gguf(), damaged)
    with damaged.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)[0]
        file.seek(50_000_000)
        file.write(bytes([byte ^ 1]))
    monkeypatch.setattr(module, "_bundled_gguf", lambda: damaged)
    with pytest.raises(BaseModelCorrupt, match="not the model this release was tested with"):
        prepare_bundled(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("smollm*"))


def test_a_converted_file_that_lost_bytes_is_refused(base_model: BaseModel, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(base_model.folder, cache / base_model.folder.name)
    with (cache / base_model.folder.name / module.SERVED).open("r+b") as file:
        file.truncate(1_000)
    with pytest.raises(BaseModelCorrupt, match="is damaged"):
        prepare_bundled(cache)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseModelMissing, match="There is no folder"):
        prepare(str(tmp_path / "absent"), tmp_path)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(BaseModelCorrupt, match="Only safetensors are loaded"):
        prepare(str(tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["modeling_evil.py", "training_args.bin", "inner/state.pkl"])
def test_a_folder_with_a_file_that_could_run_code_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(BaseModelCorrupt, match="could run code"):
        prepare(str(tmp_path), tmp_path)


def test_what_is_neither_a_folder_nor_a_hub_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaseModelMissing, match="neither a folder nor a hub model's id"):
        prepare("not a model!", tmp_path)


def test_no_library_reports_to_anyone() -> None:
    program = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = refuse\n"
        "from training.base_model import stay_offline\n"
        "stay_offline()\n"
        "import openvino, openvino_genai, transformers, time\n"
        "assert 'openvino_telemetry' in sys.modules and sys.modules['openvino_telemetry'] is None\n"
        "from huggingface_hub import constants\n"
        "assert constants.HF_HUB_OFFLINE and constants.HF_HUB_DISABLE_TELEMETRY\n"
        "time.sleep(0.5)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_a_base_model_is_known_by_its_weights_which_are_read_once(
    base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cache = tmp_path / "model", tmp_path / "cache"
    folder.mkdir()
    (folder / "a.safetensors").write_bytes(b"one")
    (folder / "b.safetensors").write_bytes(b"two")
    read: list[int] = []
    digest = hashlib.file_digest

    def counted(file: Any, name: str) -> Any:
        read.append(1)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    first = prepare(str(folder), cache)
    assert (first.ref, len(read)) == (str(folder), 2)
    assert prepare(str(folder), cache) == first
    assert len(read) == 2
    (folder / "b.safetensors").write_bytes(b"TWO")
    os.utime(folder / "b.safetensors", (1, 1))
    assert prepare(str(folder), cache).sha256 != first.sha256
    assert len(read) == 3
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert prepare(str(tmp_path / "elsewhere"), cache).sha256 != first.sha256
    (cache / "weights.json").write_text("{ cut off")
    (folder / "b.safetensors").write_bytes(b"two")
    assert prepare(str(folder), cache).sha256 == first.sha256
    assert (base_model.ref, base_model.sha256) == ("bundled", module.BUNDLED_SHA256)
