"""Several audiences' hits merged into the best of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Hits:
    """What was found for one audience: ids with their scores, shape `(len(ids),)`."""

    audience: str
    ids: Sequence[str]
    scores: NDArray[np.floating[Any]]


def best_of(hits: Sequence[Hits], depth: int) -> list[tuple[str, str, float]]:
    """Return audience, id and score of the best hits of all, best first; equals keep their order.

    Args:
        hits: The hits of each audience, on one scale.
        depth: How many to return.
    """
    if not hits:
        return []
    starts = np.cumsum([0, *(len(each.ids) for each in hits)])
    scores = np.concatenate([each.scores for each in hits])
    order = np.argsort(-scores, kind="stable")[:depth]
    owners = np.searchsorted(starts, order, side="right") - 1
    return [
        (hits[owner].audience, hits[owner].ids[place], float(score))
        for owner, place, score in zip(owners, order - starts[owners], scores[order], strict=True)
    ]
