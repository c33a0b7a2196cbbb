"""Gaps: questions that the documents did not answer, grouped by topic, so that someone can write
the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge.embedder import Embedder

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

#: Questions are one topic while their mean cosine is above this share of the way from unrelated
#: to equal.
SAME_TOPIC = 0.53

#: More questions than this are not grouped: the newest count.
MOST_QUESTIONS = 2_000


@dataclass(frozen=True)
class Unanswered:
    """A question that found nothing good, and when it was asked."""

    text: str
    asked_at: datetime


@dataclass(frozen=True)
class Gap:
    """A topic that the documents lack.

    Attributes:
        topic: The question that stands best for the others.
        questions: All of them, newest first, each wording once.
        times: How often it was asked.
        last_asked_at: When it was last asked.
    """

    topic: str
    questions: tuple[str, ...]
    times: int
    last_asked_at: datetime


def find_gaps(questions: Sequence[Unanswered], embedder: Embedder) -> list[Gap]:
    """Group questions by meaning; what is asked most comes first.

    Args:
        questions: In any order.
        embedder: Knows which questions mean nearly the same.
    """
    newest = sorted(questions, key=lambda each: each.asked_at, reverse=True)[:MOST_QUESTIONS]
    if not newest:
        return []
    groups: dict[int, list[int]] = {}
    vectors = embedder.embed_passages([question.text for question in newest])
    for position, label in enumerate(_labels(vectors, embedder.unrelated_similarity)):
        groups.setdefault(label, []).append(position)
    gaps = []
    for members in groups.values():
        together = vectors[members]
        closest = members[int((together @ together.mean(axis=0)).argmax())]
        gaps.append(
            Gap(
                topic=newest[closest].text,
                questions=tuple(dict.fromkeys(newest[each].text for each in members)),
                times=len(members),
                last_asked_at=newest[members[0]].asked_at,
            )
        )
    return sorted(gaps, key=lambda gap: (-gap.times, -gap.last_asked_at.timestamp()))


def _labels(vectors: Vectors, unrelated: float) -> list[int]:
    from sklearn.cluster import AgglomerativeClustering

    if len(vectors) == 1:
        return [0]
    clustering = AgglomerativeClustering(
        n_clusters=None,
        metric="cosine",
        linkage="average",
        distance_threshold=(1 - unrelated) * (1 - SAME_TOPIC),
    )
    return [int(label) for label in clustering.fit_predict(vectors)]
