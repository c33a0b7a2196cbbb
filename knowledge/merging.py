"""The best of many scores, without sorting them all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: One score of this many is looked at to find out how high the best lie.
_SAMPLED = 16


def best_places(scores: NDArray[Any], limit: int) -> NDArray[np.intp]:
    """Return the places of the highest scores, highest first; equals keep their order.

    A sample tells how high the best lie, and only what is as high is put in order.

    Args:
        scores: Shape `(n,)`, of any number type.
        limit: The most places to return.
    """
    if len(scores) <= max(limit, 1) * _SAMPLED // 4:
        places = np.arange(len(scores))
    else:
        sample = np.sort(scores[::_SAMPLED])  # many equal scores make a partition slower than this
        places = np.flatnonzero(scores >= sample[-max(4, 2 * limit // _SAMPLED)])
        if len(places) < limit:
            places = np.flatnonzero(scores >= np.sort(scores)[-limit])
    # Highest first and equals in their order: a stable sort upwards, read from the end.
    upwards = np.argsort(scores[places[::-1]], kind="stable")
    return places[::-1][upwards[::-1]][:limit]
