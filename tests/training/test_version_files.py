from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file

from training.base_model import BaseModel
from training.manifest import verify_manifest, write_manifest
from training.merge import load_merged
from training.version_files import ADAPTER, write_version


def test_an_adapter_that_is_loaded_as_it_is_counts_by_the_version_s_scale(
    base_model: BaseModel, random_adapter: Path, tmp_path: Path
) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(random_adapter, adapter)
    write_manifest(adapter, {"run": 1})
    without_gguf = dataclasses.replace(base_model, gguf=None)
    target = tmp_path / "versions" / "v1"
    digest = write_version(without_gguf, adapter, target, 0.5, lambda _share: None)
    verify_manifest(target, digest)

    trained = json.loads((adapter / "adapter_config.json").read_text())["lora_alpha"]
    assert json.loads((target / ADAPTER / "adapter_config.json").read_text())["lora_alpha"] == (
        trained / 2
    )
    plain = load_file(base_model.folder / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    whole, half = (
        load_merged(base_model, folder).state_dict()[name].float() - plain[name].float()
        for folder in (adapter, target / ADAPTER)
    )
    assert whole.abs().max() > 1e-4
    assert torch.allclose(half, whole / 2, atol=1e-5)
