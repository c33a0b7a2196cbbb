"""How much memory serving a model takes, known before it is loaded, and whether there is as much.

The sums are for OpenVINO on a processor; the constants were measured with it (2026.4.1) on the
bundled model, as the growth of the process's resident memory.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from bot.inference.language_model import InferenceFailed

log = logging.getLogger(__name__)

GIB = 2**30

#: Weights in memory for each byte of a GGUF file: OpenVINO keeps them repacked for its kernels,
#: beside those that stay wide (embeddings, norms). Measured: 336 MB for a file of 145 MB.
MEMORY_PER_FILE_BYTE = 2.4

#: What one step needs beside: measured 140 MB with 1,024 tokens a step, whatever the queue.
WORKING_GIB = 0.25

#: Tokens that share a block of the cache on a processor.
BLOCK_TOKENS = 32

#: Bytes of a scale with its zero point, of which a group of 8-bit values has one.
_SCALE_BYTES = 8


class MemoryTooSmall(InferenceFailed):
    """The model does not fit into the memory that is free; the message holds the sum."""


@dataclass(frozen=True)
class ModelShape:
    """What of a model's configuration the cache's size depends on."""

    layers: int
    key_value_heads: int
    head_size: int

    @classmethod
    def read(cls, folder: Path) -> ModelShape:
        """Read it from a base model's folder.

        Raises:
            OSError: there is no `config.json`.
            ValueError: it does not hold what is needed.
        """
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        try:
            heads = int(found["num_attention_heads"])
            return cls(
                layers=int(found["num_hidden_layers"]),
                key_value_heads=int(found.get("num_key_value_heads") or heads),
                head_size=int(found.get("head_dim") or found["hidden_size"] // heads),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder / 'config.json'} lacks {error}.") from error

    @property
    def cache_bytes_per_token(self) -> float:
        """Bytes of keys and values that one token leaves in the cache, in 8 bits.

        Keys have a scale for each channel of a block, values one for each token.
        """
        key = self.head_size * (1 + _SCALE_BYTES / BLOCK_TOKENS)
        value = self.head_size + _SCALE_BYTES
        return self.layers * self.key_value_heads * (key + value)


@dataclass(frozen=True)
class MemoryNeed:
    """What serving one version takes, in GiB, and what the cache holds."""

    weights_gib: float
    cache_gib: float
    working_gib: float
    #: How many tokens of prompts and answers the cache holds.
    cache_tokens: int

    @property
    def cache_blocks(self) -> int:
        """The same in blocks, as OpenVINO takes it."""
        return self.cache_tokens // BLOCK_TOKENS

    @property
    def total_gib(self) -> float:
        """The bound: more than this, one version never takes."""
        return self.weights_gib + self.cache_gib + self.working_gib

    def __str__(self) -> str:
        return (
            f"{self.total_gib:.2f} GiB (weights {self.weights_gib:.2f}, keys and values "
            f"{self.cache_gib:.2f} for {self.cache_tokens} tokens, working {self.working_gib:.2f})"
        )


def memory_need(weights: Path, folder: Path, cache_gib: float) -> MemoryNeed:
    """Return what serving a GGUF file takes, without loading it.

    Args:
        weights: The GGUF file.
        folder: The base model's folder, with its configuration.
        cache_gib: How much memory the keys and values may take, in GiB.

    Raises:
        OSError: a file is missing.
        ValueError: the configuration does not hold what is needed.
    """
    per_token = ModelShape.read(folder).cache_bytes_per_token
    return MemoryNeed(
        weights_gib=weights.stat().st_size * MEMORY_PER_FILE_BYTE / GIB,
        cache_gib=cache_gib,
        working_gib=WORKING_GIB,
        cache_tokens=int(cache_gib * GIB / per_token),
    )


def check_it_fits(need: MemoryNeed, available_gib: float) -> None:
    """Raise `MemoryTooSmall` if `need` is more than what is available, in GiB."""
    if need.total_gib > available_gib:
        raise MemoryTooSmall(
            f"Serving takes {need}, and {available_gib:.2f} GiB are free. "
            "Free some memory, or set a smaller `cache_gb` under [model]."
        )


def available_gib() -> float:
    """Return how much memory this process may still take: the machine's, or its container's."""
    import psutil

    free = int(psutil.virtual_memory().available)
    within = _free_in_container(Path("/sys/fs/cgroup"))
    return (free if within is None else min(free, within)) / GIB


def _free_in_container(group: Path) -> int | None:
    """Return what a control group (version 2) leaves, in bytes; None without a limit."""
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        # Cached files count as used, but are given up when memory is needed.
        lines = (group / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    cached = {name: int(number) for name, number in (line.split() for line in lines)}
    return int(limit) - used + cached.get("inactive_file", 0)
