"""One figure of a benchmark, and its ratio to the peer measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """What was measured. `ratio` is above 1 where `who` is better than the named peer."""

    benchmark: str
    who: str
    figure: float
    unit: str
    ratio: float
