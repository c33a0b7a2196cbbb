"""From base and adapter to one GGUF file that a CPU engine serves.

The adapter is added to the float32 weights, and the sum is written in 8 bits, with the tokenizer
and all other metadata of the base's own GGUF file.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from training.base_model import BaseModel
from training.gguf_file import GgufUnwritable, Progress, write_gguf

_ADAPTER = "adapter_model.safetensors"

#: Settings that change what the weights mean. With one of them a plain merge would be wrong.
_NOT_MERGED = ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "lora_bias")


class MergeFailed(Exception):
    """The adapter does not fit the base, or is damaged; the message says how."""


def merge_to_gguf(
    base: BaseModel,
    adapter: Path,
    target: Path,
    scale: float = 1.0,
    progress: Progress = lambda _share: None,
) -> None:
    """Write base plus adapter as one Q8_0 GGUF file.

    Args:
        base: The base model; it must have a GGUF file to copy the metadata from.
        adapter: A folder with a LoRA adapter as safetensors.
        target: The file to write; it appears only when it is whole.
        scale: By how much the adapter counts: 1 as trained, 0 not at all.
        progress: Called with the share of tensors written, 0 to 1.

    Raises:
        MergeFailed: the adapter misses weights, holds numbers that are none, or does not fit.
    """
    if base.gguf is None:
        raise MergeFailed(f"{base.name} has no GGUF file; serve it with its adapter instead.")
    model = load_merged(base, adapter, scale)
    try:
        write_gguf(base.gguf, model, target, progress)
    except GgufUnwritable as error:
        raise MergeFailed(str(error)) from error


def load_merged(base: BaseModel, adapter: Path, scale: float = 1.0) -> Any:
    """Return the base model with the adapter added to its weights, in float32.

    Raises:
        MergeFailed: as `merge_to_gguf`.
    """
    import torch
    from peft import LoraConfig, PeftModel
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    try:
        weights = load_file(adapter / _ADAPTER)
    except (OSError, SafetensorError) as error:
        raise MergeFailed(f"The adapter in {adapter} cannot be read: {error}.") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise MergeFailed(f"The adapter in {adapter} holds numbers that are not finite.")
    automatic: Any = AutoModelForCausalLM
    loaded = automatic.from_pretrained(base.folder, dtype=torch.float32)
    config = LoraConfig(**_lora_settings(adapter))
    adapted: Any = PeftModel(loaded, config)
    _put_in(adapted, weights, adapter)
    if not math.isclose(scale, 1.0):
        for module in adapted.modules():
            if hasattr(module, "scaling") and isinstance(module.scaling, dict):
                module.scaling = {name: value * scale for name, value in module.scaling.items()}
    return adapted.merge_and_unload()


def _lora_settings(adapter: Path) -> dict[str, Any]:
    try:
        found = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        if unknown := [name for name in _NOT_MERGED if found.get(name)]:
            raise MergeFailed(f"The adapter in {adapter} uses {unknown[0]}, which is not merged.")
        return {
            "r": int(found["r"]),
            "lora_alpha": found["lora_alpha"],
            "target_modules": found["target_modules"],
            "use_rslora": bool(found.get("use_rslora", False)),
            "bias": "none",
            "task_type": "CAUSAL_LM",
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MergeFailed(f"The adapter in {adapter} does not say what it is: {error}.") from error


def _put_in(adapted: Any, weights: dict[str, Any], adapter: Path) -> None:
    """Fill the adapter's weights in; peft would only warn of those that are missing."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    wanted = set(get_peft_model_state_dict(adapted))
    if missing := sorted(wanted - set(weights)):
        raise MergeFailed(f"The adapter in {adapter} lacks {len(missing)} weights: {missing[0]}.")
    if extra := sorted(set(weights) - wanted):
        raise MergeFailed(
            f"The adapter in {adapter} has {len(extra)} weights too many: {extra[0]}."
        )
    try:
        set_peft_model_state_dict(adapted, weights)
    except RuntimeError as error:
        raise MergeFailed(f"The adapter in {adapter} does not fit the base: {error}.") from error
