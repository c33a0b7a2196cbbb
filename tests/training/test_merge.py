"""A version is base plus adapter in one file: the adapter must count, and count exactly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.inference.language_model import GenerationOptions
from bot.inference.openvino_engine import OpenVinoEngine
from tests.plain_model import greedy
from training.base_model import BaseModel
from training.merge import MergeFailed, load_merged
from training.prompt import render_general

PROMPTS = ["What is the capital of Norway?", "Name a colour.", "Say hello to a new colleague."]


def test_the_merged_file_says_what_base_and_adapter_say_together(
    base_model: BaseModel, random_adapter: Path, merged_gguf: Path
) -> None:
    engine = OpenVinoEngine(merged_gguf, base_model.folder, "v1")
    options = GenerationOptions(max_new_tokens=16)
    served = engine.generate_many([render_general(prompt) for prompt in PROMPTS], options)
    engine.close()
    merged = load_merged(base_model, random_adapter)
    expected = [greedy(merged, base_model, prompt, 16) for prompt in PROMPTS]
    plain = load_merged(base_model, random_adapter, scale=0.0)
    base = [greedy(plain, base_model, prompt, 16) for prompt in PROMPTS]
    # Eight bits may tip a close call late in a text, so the beginnings are compared.
    begins = [s.split()[:3] == e.split()[:3] for s, e in zip(served, expected, strict=True)]
    assert sum(begins) >= 2, (served, expected)
    assert served != base, "the adapter was ignored"


def test_an_adapter_that_lacks_a_weight_is_refused(
    base_model: BaseModel, random_adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(random_adapter / "adapter_model.safetensors")
    lost = sorted(weights)[0]
    save_file(
        {k: v for k, v in weights.items() if k != lost}, tmp_path / "adapter_model.safetensors"
    )
    (tmp_path / "adapter_config.json").write_text(
        (random_adapter / "adapter_config.json").read_text()
    )
    with pytest.raises(MergeFailed, match="lacks 1 weights"):
        load_merged(base_model, tmp_path)


def test_an_adapter_with_numbers_that_are_none_is_refused(
    base_model: BaseModel, random_adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(random_adapter / "adapter_model.safetensors")
    weights[sorted(weights)[0]][0, 0] = float("nan")
    save_file(weights, tmp_path / "adapter_model.safetensors")
    with pytest.raises(MergeFailed, match="not finite"):
        load_merged(base_model, tmp_path)


def test_an_adapter_that_is_only_a_pickle_is_never_opened(
    base_model: BaseModel, tmp_path: Path
) -> None:
    (tmp_path / "adapter_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 4}))
    with pytest.raises(MergeFailed, match="cannot be read"):
        load_merged(base_model, tmp_path)
