"""How large a base model is, told from its files without loading a weight."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

#: Matrices that are looked up or speak words: no adapter is put on them, and they stay unquantised.
_NOT_LINEAR = ("embed", "lm_head", "wte", "wpe")

#: Longest header of a safetensors file that is read, in bytes (its own limit is 100 MB).
_LONGEST_HEADER = 100_000_000


class ShapeUnknown(Exception):
    """The model's files do not say how large it is; the message names what is missing."""


@dataclass(frozen=True)
class ModelShape:
    """What of a decoder the memory and the time of a training depend on."""

    name: str
    layers: int
    #: Width of the residual stream.
    hidden: int
    #: Width inside the feed-forward part.
    intermediate: int
    vocabulary: int
    #: Width of all queries of a position together, and of all its keys (values: the same).
    queries: int
    keys: int
    #: Outputs and inputs of each linear layer's weight.
    linears: tuple[tuple[int, int], ...]
    #: Parameters that lie in no linear layer: embeddings, the projection on words, norms, biases.
    other: int

    @property
    def linear_parameters(self) -> int:
        """Parameters of all linear layers."""
        return sum(rows * columns for rows, columns in self.linears)

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.linear_parameters + self.other

    @property
    def largest_linear(self) -> int:
        """Parameters of the largest linear layer."""
        return max(rows * columns for rows, columns in self.linears)

    def adapter_parameters(self, rank: int) -> int:
        """Parameters of a low-rank update on every linear layer: rank x (outputs + inputs)."""
        return sum(rank * (rows + columns) for rows, columns in self.linears)


def read_shape(folder: Path, name: str | None = None) -> ModelShape:
    """Read a model's shape from `config.json` and the headers of its safetensors files.

    Raises:
        ShapeUnknown: a file is missing or does not hold what is needed.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShapeUnknown(f"{folder / 'config.json'} cannot be read: {error}.") from error
    weights = list(_weights(folder))
    name = name or folder.name
    if not weights:
        return shape_of_config(config, name)
    # A model whose experts are stored together has matrices in stacks.
    linears = [
        shape[-2:]
        for key, shape in weights
        if len(shape) >= 2 and not any(word in key for word in _NOT_LINEAR)
        for _ in range(prod(shape[:-2]))
    ]
    total = sum(prod(shape) for _, shape in weights)
    plain = shape_of_config(config, name)
    return ModelShape(
        name=name,
        layers=plain.layers,
        hidden=plain.hidden,
        intermediate=plain.intermediate,
        vocabulary=plain.vocabulary,
        queries=plain.queries,
        keys=plain.keys,
        linears=tuple((rows, columns) for rows, columns in linears),
        other=total - sum(rows * columns for rows, columns in linears),
    )


def shape_of_config(config: Mapping[str, Any], name: str) -> ModelShape:
    """Work a Llama-like decoder's shape out from its configuration alone.

    Raises:
        ShapeUnknown: the configuration lacks a number.
    """
    config = config.get("text_config") or config
    try:
        hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        head = int(config.get("head_dim") or hidden // heads)
        keys = int(config.get("num_key_value_heads") or heads) * head
        inner, layers = int(config["intermediate_size"]), int(config["num_hidden_layers"])
        vocabulary = int(config["vocab_size"])
    except (KeyError, TypeError, ValueError) as error:
        raise ShapeUnknown(f"The configuration of {name} lacks {error}.") from error
    queries = heads * head
    layer = [
        (queries, hidden),
        (keys, hidden),
        (keys, hidden),
        (hidden, queries),
        (inner, hidden),
        (inner, hidden),
        (hidden, inner),
    ]
    words = vocabulary * hidden * (1 if config.get("tie_word_embeddings") else 2)
    return ModelShape(
        name=name,
        layers=layers,
        hidden=hidden,
        intermediate=inner,
        vocabulary=vocabulary,
        queries=queries,
        keys=keys,
        linears=tuple(layer * layers),
        other=words + (2 * layers + 1) * hidden,
    )


def _weights(folder: Path) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield name and shape of every weight; each file begins with its header's length and JSON."""
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with path.open("rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                if length > _LONGEST_HEADER:
                    raise ValueError(f"a header of {length} bytes")
                header = json.loads(file.read(length))
        except (OSError, ValueError, struct.error) as error:
            raise ShapeUnknown(f"{path} is no safetensors file: {error}.") from error
        for key, entry in header.items():
            if key != "__metadata__":
                yield key, entry["shape"]
