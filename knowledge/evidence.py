"""Whether the passages found can answer the question at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.language import detect_language
from knowledge.words import content_words, stems, words

ANSWERABLE = 0.5


@dataclass(frozen=True)
class Evidence:
    """What speaks for an answer.

    Attributes:
        similarity: The highest cosine of the question and a passage.
        coverage: The highest share of the question's content words that one passage has.
        is_answerable: Whether both together are enough to try.
    """

    similarity: float
    coverage: float
    is_answerable: bool


def weigh(query: str, similarities: Sequence[float], texts: Sequence[str]) -> Evidence:
    """Weigh the evidence in passages, given by their cosines and texts in the same order."""
    language = "no" if detect_language(query) == "no" else "en"
    asked = frozenset(stems(content_words(query), language))
    similarity = max(similarities, default=0.0)
    coverage = (
        max(
            (len(asked & frozenset(stems(words(text), language))) / len(asked) for text in texts),
            default=0.0,
        )
        if asked
        else 0.0
    )
    return Evidence(similarity, coverage, similarity + coverage >= 2 * ANSWERABLE)
