"""From base and adapter to one GGUF file that a CPU engine serves.

The adapter is added to the float32 weights, and the sum is written in Q8_0 (blocks of 32 weights
in 8 bits with one scale; see the GGUF specification). Everything that is not a weight, the
tokenizer included, is copied from the base's own GGUF file.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.base_model import BaseModel

Progress = Callable[[float], None]

_ADAPTER = "adapter_model.safetensors"

#: Metadata that describes the quantisation of the base file, which the new file does not share.
_NOT_COPIED = frozenset({"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"})


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
    temporary = target.with_name(f".tmp-{target.name}")
    _write_gguf(base.gguf, model, temporary, progress)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(target)


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
        return {
            "r": int(found["r"]),
            "lora_alpha": found["lora_alpha"],
            "target_modules": found["target_modules"],
            "use_rslora": bool(found.get("use_rslora", False)),
            "bias": "none",
            "task_type": "CAUSAL_LM",
        }
    except (OSError, ValueError, KeyError) as error:
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


def _write_gguf(source: Path, model: Any, target: Path, progress: Progress) -> None:
    import gguf
    import numpy

    reader = gguf.GGUFReader(source)
    architecture = str(reader.fields["general.architecture"].contents())
    writer = gguf.GGUFWriter(target, architecture)
    _copy_metadata(reader, writer)
    names = gguf.get_tensor_name_map(
        next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture),
        int(model.config.num_hidden_layers),
    )
    state = {name: tensor.detach().float().numpy() for name, tensor in model.state_dict().items()}
    if "output.weight" not in {tensor.name for tensor in reader.tensors}:
        state.pop("lm_head.weight", None)  # tied to the embedding, and not stored twice
    heads = int(model.config.num_attention_heads)
    key_heads = int(model.config.num_key_value_heads)
    for done, name in enumerate(sorted(state), start=1):
        weights = state[name]
        mapped = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if mapped is None:
            raise MergeFailed(f"GGUF has no name for the weight {name} of {architecture}.")
        if architecture == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
            weights = _to_gguf_order(weights, heads if "q_proj" in name else key_heads)
        if weights.ndim == 2 and weights.shape[-1] % 32 == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(mapped, gguf.quants.quantize(weights, kind), raw_dtype=kind)
        else:
            writer.add_tensor(mapped, weights.astype(numpy.float32))
        progress(done / len(state))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _to_gguf_order(weights: Any, heads: int) -> Any:
    """Reorder the rows of each head: GGUF's llama keeps the two halves of a rotation side by side.

    Args:
        weights: Shape (heads * head size, hidden size), halves one after the other.
        heads: How many heads the rows belong to.
    """
    rows, columns = weights.shape
    halves = weights.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _copy_metadata(reader: Any, writer: Any) -> None:
    import gguf

    for name, field in reader.fields.items():
        if name in _NOT_COPIED or name == "general.architecture":
            continue
        if name == "general.file_type":
            writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
            continue
        if name == "general.quantization_version":
            writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=inner)
