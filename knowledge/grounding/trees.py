"""A fitted boosting of decision trees, as plain numbers in a JSON file.

Nothing is unpickled: the trees are read from JSON and walked with numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Tree:
    """One tree, node by node. A leaf has the feature -1 and its value; others go left if ≤."""

    features: tuple[int, ...]
    thresholds: tuple[float, ...]
    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    values: tuple[float, ...]

    def value(self, row: Sequence[float]) -> float:
        """Return what the tree adds for a row of features."""
        node = 0
        while (feature := self.features[node]) >= 0:
            node = self.lefts[node] if row[feature] <= self.thresholds[node] else self.rights[node]
        return self.values[node]


@dataclass(frozen=True)
class Boosted:
    """The sum of trees, made a probability by Platt's scaling: 1 / (1 + exp(slope · sum + shift)).

    Attributes:
        names: The features, in the order of a row.
        trees: Their values are added to `start`.
        slope: Negative: a greater sum is a greater probability.
        shift: Of the same scaling.
    """

    names: tuple[str, ...]
    start: float
    trees: tuple[Tree, ...]
    slope: float = -1.0
    shift: float = 0.0

    def total(self, row: Sequence[float]) -> float:
        """Return the sum of the trees for a row of features."""
        return self.start + sum(tree.value(row) for tree in self.trees)

    def probability(self, figures: Mapping[str, float]) -> float:
        """Return the calibrated probability for features by name."""
        power = self.slope * self.total([figures[name] for name in self.names]) + self.shift
        return 1.0 / (1.0 + math.exp(min(max(power, -700.0), 700.0)))

    def as_plain(self) -> dict[str, Any]:
        """Return what JSON can hold, figures rounded to what float32 tells apart."""
        return {
            "names": list(self.names),
            "start": self.start,
            "slope": self.slope,
            "shift": self.shift,
            "trees": [
                {
                    "f": list(tree.features),
                    "t": [float(f"{value:.6g}") for value in tree.thresholds],
                    "l": list(tree.lefts),
                    "r": list(tree.rights),
                    "v": [float(f"{value:.5g}") for value in tree.values],
                }
                for tree in self.trees
            ],
        }


def boosted_from(plain: Mapping[str, Any]) -> Boosted:
    """Return the model that `Boosted.as_plain` wrote."""
    return Boosted(
        names=tuple(plain["names"]),
        start=float(plain["start"]),
        slope=float(plain["slope"]),
        shift=float(plain["shift"]),
        trees=tuple(
            Tree(tuple(t["f"]), tuple(t["t"]), tuple(t["l"]), tuple(t["r"]), tuple(t["v"]))
            for t in plain["trees"]
        ),
    )


def boosted_of(model: Any, names: Sequence[str]) -> Boosted:
    """Read the trees of a fitted `HistGradientBoostingClassifier` with two classes.

    Its nodes are private; the fit checks that both give the same sums.
    """
    trees = []
    for (predictor,) in model._predictors:
        nodes: NDArray[np.void] = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            Tree(
                tuple(
                    int(-1 if is_leaf else f)
                    for f, is_leaf in zip(nodes["feature_idx"], leaf, strict=True)
                ),
                tuple(float(v) for v in nodes["num_threshold"]),
                tuple(int(v) for v in nodes["left"]),
                tuple(int(v) for v in nodes["right"]),
                tuple(float(v) for v in nodes["value"]),
            )
        )
    return Boosted(tuple(names), float(model._baseline_prediction.ravel()[0]), tuple(trees))
