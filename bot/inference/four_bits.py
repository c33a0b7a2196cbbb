"""A model's weights in four bits, for a GPU that its sixteen do not fit.

NF4 with double quantisation (Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs",
2023): the same form that the training sees, so that what was tuned on it fits it best.
"""

from __future__ import annotations

from typing import Any

#: What stays as it is: it decides between words, and often shares its weights with the embedding.
_KEPT = ("lm_head",)


def in_four_bits(model: Any, dtype: Any) -> Any:
    """Return a model whose linear layers hold their weights in NF4 once they are on their device.

    Args:
        model: A causal language model, its adapter merged; its layers are replaced in it.
        dtype: What is computed in, a `torch.dtype`.
    """
    import bitsandbytes
    import torch

    small_layers: Any = bitsandbytes.nn

    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if not isinstance(layer, torch.nn.Linear) or name in _KEPT:
                continue
            small = small_layers.Linear4bit(
                layer.in_features,
                layer.out_features,
                bias=layer.bias is not None,
                compute_dtype=dtype,
                quant_type="nf4",
                compress_statistics=True,
            )
            small.weight = small_layers.Params4bit(
                layer.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True
            )
            if layer.bias is not None:
                small.bias = layer.bias
            setattr(parent, name, small)
    return model
