"""Whether the passages found can answer the question at all.

Fused scores say which passage is better than another, never whether any is good. So the raw
evidence is weighed: the cosine, and how much of what was asked the passages really speak of.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.abstaining import PRECISION, calibration, figures_of
from knowledge.keyword_index import Frequencies


@dataclass(frozen=True)
class Evidence:
    """What speaks for an answer.

    Attributes:
        similarity: The highest similarity of the question and a passage.
        coverage: The highest share of the question's content words that one passage has, rare
            words counting more.
        strength: Both together, for the passage where they are strongest.
        is_answerable: Whether that is enough to try.
        probability: That the passages answer the question, if one in four questions has no answer
            in the documents.
        figures: What the probability was made of, by name.
    """

    similarity: float
    coverage: float
    strength: float
    is_answerable: bool
    probability: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Witness:
    """A passage as evidence: its similarity with the question, and the stems of its words."""

    similarity: float
    stems: Collection[str]


def weigh(
    asked: Collection[str],
    witnesses: Sequence[Witness],
    counts: Frequencies,
    precision: float = PRECISION,
    *,
    answer: float = 0.0,
) -> Evidence:
    """Weigh the evidence.

    Args:
        asked: The stems of the question's content words, each once.
        witnesses: The passages found.
        counts: How frequent the stems are in all that was searched.
        precision: The wished share, among questions that are tried, of those with an answer.
        answer: How like the question the sentence is that answers it best.
    """
    weights = rarity(asked, counts)
    shares = [_share(weights, witness.stems) for witness in witnesses]
    figures = figures_of(
        [each.similarity for each in witnesses],
        shares,
        len(weights),
        answer=answer,
        searched=counts.passages,
    )
    if not witnesses:
        return Evidence(0.0, 0.0, 0.0, False, 0.0, figures)
    probability = calibration().probability(figures)
    return Evidence(
        similarity=max(witness.similarity for witness in witnesses),
        coverage=max(shares),
        strength=figures["strength"],
        is_answerable=probability >= calibration().threshold(precision),
        probability=probability,
        figures=figures,
    )


def rarity(asked: Collection[str], counts: Frequencies) -> Mapping[str, float]:
    """Return how much each stem says: BM25's inverse document frequency, always positive."""
    return {
        stem: math.log(
            1
            + (counts.passages - counts.by_stem.get(stem, 0) + 0.5)
            / (counts.by_stem.get(stem, 0) + 0.5)
        )
        for stem in asked
    }


def _share(weights: Mapping[str, float], stems: Collection[str]) -> float:
    total = sum(weights.values())
    return (
        sum(weight for stem, weight in weights.items() if stem in stems) / total if total else 0.0
    )
