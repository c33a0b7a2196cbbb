"""What this machine could do at most: bytes read from memory, and sums of products, a second."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class MachineLimits:
    """Measured, with all cores, in the same run as what is compared with it."""

    #: GB a second, read from memory by the cores together.
    bandwidth: float
    #: Billions of additions and multiplications a second, by type.
    float32_gflops: float
    bfloat16_gflops: float


def measure_limits() -> MachineLimits:
    """Measure for a few seconds."""
    return MachineLimits(_bandwidth(), _gflops("float32"), _gflops("bfloat16"))


def _bandwidth() -> float:
    import torch

    numbers = torch.ones(2**28)  # 1 GiB: far more than the caches hold
    numbers.sum()
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        numbers.sum()
        best = max(best, numbers.numel() * 4 / (time.perf_counter() - began) / 1e9)
    return best


def _gflops(kind: str) -> float:
    import torch

    size = 1536
    dtype = getattr(torch, kind)
    left, right = torch.randn(size, size, dtype=dtype), torch.randn(size, size, dtype=dtype)
    best = 0.0
    for _ in range(6):
        began = time.perf_counter()
        _ = left @ right
        best = max(best, 2 * size**3 / (time.perf_counter() - began) / 1e9)
    return best
