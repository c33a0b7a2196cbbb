"""Whether the passages found can answer the question at all.

Fused scores say which passage is better than another, never whether any is good. So the raw
evidence is weighed: the cosine, and how much of what was asked one passage really speaks of.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from knowledge.keyword_index import Frequencies

#: How much words count beside the cosine.
WORDS_WEIGHT = 0.5

#: The strength from which an answer is worth trying, chosen on one half of 289 answerable questions
#: (chatty ones to the sample company, plain ones to a handbook of 876 pages) and 116 unanswerable
#: ones. Of the other half it lets 85 % of the answerable and 19 % of the unanswerable through; of
#: the plain answerable ones, all. (How the strength is computed was chosen on all of them.)
STRENGTH_NEEDED = 0.70


@dataclass(frozen=True)
class Evidence:
    """What speaks for an answer.

    Attributes:
        similarity: The highest cosine of the question and a passage.
        coverage: The highest share of the question's content words that one passage has, rare
            words counting more.
        strength: Both together, for the passage where they are strongest.
        is_answerable: Whether that is enough to try.
    """

    similarity: float
    coverage: float
    strength: float
    is_answerable: bool


@dataclass(frozen=True)
class Witness:
    """A passage as evidence: its cosine with the question, and the stems of its words."""

    similarity: float
    stems: Collection[str]


def weigh(asked: Collection[str], witnesses: Sequence[Witness], counts: Frequencies) -> Evidence:
    """Weigh the evidence.

    A passage never has all the words of a long question, so the share it has counts with the
    square root of the question's length.

    Args:
        asked: The stems of the question's content words, each once.
        witnesses: The passages found.
        counts: How frequent the stems are in all that was searched.
    """
    weights = rarity(asked, counts)
    shares = [_share(weights, witness.stems) for witness in witnesses]
    strengths = [
        witness.similarity + WORDS_WEIGHT * share * math.sqrt(len(weights))
        for witness, share in zip(witnesses, shares, strict=True)
    ]
    strength = max(strengths, default=0.0)
    return Evidence(
        similarity=max((witness.similarity for witness in witnesses), default=0.0),
        coverage=max(shares, default=0.0),
        strength=strength,
        is_answerable=strength >= STRENGTH_NEEDED,
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
