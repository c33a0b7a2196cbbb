"""Writing a model as one GGUF file in Q8_0: blocks of 32 weights in 8 bits with one scale.

Everything that is not a weight, the tokenizer included, is copied from another GGUF file of the
same model. See the GGUF specification, ggml-org/ggml docs/gguf.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.manifest import flush_folder

Progress = Callable[[float], None]

#: Weights in one Q8_0 block; rows that do not divide into blocks stay in 32 bits.
_BLOCK = 32

#: What a reader counts for itself; none of it is metadata of the model.
_NOT_COPIED = frozenset({"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"})


class GgufUnwritable(Exception):
    """The model has a weight that GGUF has no name for; the message names it."""


def write_gguf(
    source: Path, model: Any, target: Path, progress: Progress = lambda _share: None
) -> None:
    """Write `model` as Q8_0; `target` appears only when it is whole and on the disk.

    Args:
        source: A GGUF file of the same architecture, to copy the metadata from.
        model: A causal language model of transformers.
        target: The file to write.
        progress: Called with the share of tensors written, 0 to 1.

    Raises:
        GgufUnwritable: GGUF has no name for one of the weights.
    """
    temporary = target.with_name(f".tmp-{target.name}")
    try:
        _write(source, model, temporary, progress)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.rename(target)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(target.parent)


def _write(source: Path, model: Any, target: Path, progress: Progress) -> None:
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
            raise GgufUnwritable(f"GGUF has no name for the weight {name} of {architecture}.")
        if architecture == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
            weights = _to_gguf_order(weights, heads if "q_proj" in name else key_heads)
        if weights.ndim == 2 and weights.shape[-1] % _BLOCK == 0:
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
