"""Fitting the check: statements to features, boosted trees, calibration, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from knowledge.grounding.features import FEATURES, MEANING, compare
from knowledge.grounding.meaning import Meaning, texts_compared
from knowledge.grounding.reading import EmbedsTexts, Reading
from knowledge.grounding.statements import Statement
from knowledge.grounding.trees import Boosted, boosted_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

#: The share of false statements that the default threshold is to catch in cross-validation; what
#: is asked for is 0.95, and unseen pages differ a little.
CAUGHT = 0.96

#: Kinds of false statement that are fitted on and reported, but not counted for the threshold: an
#: opposite ("before" for "after") is often a matter of taste, and few contradictions are there.
BESIDE = ("opposite", "contradiction")

#: What statements are based on that people wrote.
BY_PEOPLE = ("answer", "paraphrase")

#: How much what a person wrote counts beside a sentence that rules reworded.
_PERSON_WEIGHT = 4.0

_FOLDS = 5


@dataclass(frozen=True)
class Fitted:
    """A fitted check.

    Attributes:
        model: With calibration.
        thresholds: Pairs of the share of false statements caught, and the threshold for it.
        out_of_fold: The calibrated probability of each training statement, from a model that did
            not see its page.
    """

    model: Boosted
    thresholds: tuple[tuple[float, float], ...]
    out_of_fold: NDArray[np.float64]

    def as_plain(self) -> dict[str, Any]:
        """Return what `checker` reads."""
        return {
            "caught": CAUGHT,
            "thresholds": [[share, round(value, 5)] for share, value in self.thresholds],
            "model": self.model.as_plain(),
        }


def feature_names(with_meaning: bool) -> tuple[str, ...]:
    """Return the features in the order of a row."""
    return (*FEATURES, *MEANING) if with_meaning else tuple(FEATURES)


def rows_of(statements: Sequence[Statement], embedder: EmbedsTexts | None) -> Rows:
    """Return the features of statements, shape `(statements, features)`."""
    import numpy as np

    names = feature_names(embedder is not None)
    readings: dict[tuple[object, str], Reading] = {}
    compared = []
    for statement in statements:
        reading = readings.setdefault(
            (statement.grounds, statement.language), Reading(statement.grounds, statement.language)
        )
        compared.append((compare(statement.text, reading, statement.question), reading))
    figures = [each.figures for each, _ in compared]
    if embedder is not None:
        meaning = Meaning(embedder)
        texts = [
            text
            for statement, (each, reading) in zip(statements, compared, strict=True)
            for text in texts_compared(statement.text, each, reading)
        ]
        meaning.learn(texts)
        figures = [
            each.figures | meaning.figures(statement.text, each, reading)
            for statement, (each, reading) in zip(statements, compared, strict=True)
        ]
    return np.array([[row[name] for name in names] for row in figures])


def fit(rows: Rows, statements: Sequence[Statement], with_meaning: bool, seed: int = 0) -> Fitted:
    """Fit boosted trees, with Platt's scaling and thresholds from folds split by page.

    Features move the support one way only where their meaning says so (monotonic constraints),
    which keeps the trees from learning the habits of the rules that made the statements.

    Raises:
        ArithmeticError: the trees as exported do not give what scikit-learn gives.
    """
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    names = feature_names(with_meaning)
    constraints = [{**FEATURES, **MEANING}[name] for name in names]

    def new() -> Any:
        return HistGradientBoostingClassifier(
            max_iter=220, learning_rate=0.07, max_leaf_nodes=12, min_samples_leaf=25,
            l2_regularization=2.0, max_features=0.4, monotonic_cst=constraints,
            early_stopping=False, random_state=seed,
        )  # fmt: skip

    truth = np.array([statement.is_true for statement in statements])
    pages = np.array([statement.page for statement in statements])
    weights = _weights(statements)
    totals = np.empty(len(statements))
    for train, test in GroupKFold(_FOLDS).split(rows, truth, pages):
        model = new().fit(rows[train], truth[train], sample_weight=weights[train])
        totals[test] = model.decision_function(rows[test])
    scaling = LogisticRegression(C=1e6).fit(totals[:, None], truth, sample_weight=weights)
    slope, shift = -float(scaling.coef_[0, 0]), -float(scaling.intercept_[0])
    probabilities = 1 / (1 + np.exp(slope * totals + shift))
    model = new().fit(rows, truth, sample_weight=weights)
    boosted = replace(boosted_of(model, names), slope=slope, shift=shift)
    difference = max(
        abs(boosted.total(row) - expected)
        for row, expected in zip(
            rows[:200].tolist(), model.decision_function(rows[:200]), strict=True
        )
    )
    if difference > 1e-4:
        raise ArithmeticError(f"Exported trees differ from scikit-learn's by {difference}.")
    counted = np.array([statement.kind not in BESIDE for statement in statements])
    false_ones = np.sort(probabilities[~truth & counted])
    thresholds = tuple(
        (share, float(np.quantile(false_ones, share)))
        for share in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)
    )
    return Fitted(boosted, thresholds, probabilities)


def _weights(statements: Sequence[Statement]) -> NDArray[np.float64]:
    """True and false ones weigh the same in all; what people wrote weighs more."""
    import numpy as np

    truth = np.array([statement.is_true for statement in statements])
    weights = np.array([_PERSON_WEIGHT if s.base in BY_PEOPLE else 1.0 for s in statements])
    for side in (truth, ~truth):
        weights[side] *= len(statements) / 2 / weights[side].sum()
    return weights
