"""A version is base plus adapter in one file: the adapter must count, and count exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.inference.language_model import GenerationOptions
from bot.inference.openvino_engine import OpenVinoEngine
from training.base_model import BaseModel
from training.merge import MergeFailed, load_merged, merge_to_gguf
from training.prompt import render_general

PROMPTS = ["What is the capital of Norway?", "Name a colour.", "Say hello to a new colleague."]


@pytest.fixture(scope="module")
def adapter(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an adapter of random weights, large enough to change what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    automatic: Any = AutoModelForCausalLM
    model = automatic.from_pretrained(base_model.folder, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    adapted.save_pretrained(folder)
    return folder


def _greedy(model: Any, base: BaseModel, prompt: str) -> str:
    import torch
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base.folder)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
    tokens = torch.tensor([tokenizer.encode(text, add_special_tokens=False)])
    with torch.no_grad():
        made = model.generate(tokens, max_new_tokens=16, do_sample=False)
    return str(tokenizer.decode(made[0, tokens.shape[1] :], skip_special_tokens=True))


def test_the_merged_file_says_what_base_and_adapter_say_together(
    base_model: BaseModel, adapter: Path, tmp_path: Path
) -> None:
    target = tmp_path / "version.gguf"
    merge_to_gguf(base_model, adapter, target)
    engine = OpenVinoEngine(target, base_model.folder, "v1")
    options = GenerationOptions(max_new_tokens=16)
    served = engine.generate_many([render_general(prompt) for prompt in PROMPTS], options)
    engine.close()
    merged = load_merged(base_model, adapter)
    expected = [_greedy(merged, base_model, prompt) for prompt in PROMPTS]
    plain = load_merged(base_model, adapter, scale=0.0)
    base = [_greedy(plain, base_model, prompt) for prompt in PROMPTS]
    # Eight bits may tip a close call late in a text, so the beginnings are compared.
    begins = [s.split()[:3] == e.split()[:3] for s, e in zip(served, expected, strict=True)]
    assert sum(begins) >= 2, (served, expected)
    assert served != base, "the adapter was ignored"


def test_an_adapter_that_lacks_a_weight_is_refused(
    base_model: BaseModel, adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    lost = sorted(weights)[0]
    save_file(
        {k: v for k, v in weights.items() if k != lost}, tmp_path / "adapter_model.safetensors"
    )
    (tmp_path / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    with pytest.raises(MergeFailed, match="lacks 1 weights"):
        load_merged(base_model, tmp_path)


def test_an_adapter_with_numbers_that_are_none_is_refused(
    base_model: BaseModel, adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
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
