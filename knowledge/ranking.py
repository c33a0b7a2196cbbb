"""From two ways of searching to one order: fused, fed back, and smoothed.

Three steps, each over the few hundred candidates of one question:

1. The scores of both searches are standardised and added. Scores say more than ranks: a passage
   that is far ahead stays ahead.
2. The best passages are taken for relevant, and the question's vector is moved towards them
   (J. J. Rocchio, "Relevance feedback in information retrieval", 1971).
3. A passage's score is mixed with those of the passages most like it: what is relevant lies
   together (F. Diaz, "Regularizing ad hoc retrieval scores", CIKM 2005).

All constants were chosen together, on half of the queries of Cranfield and SciFact and on
SciFact's training queries; `tests/benchmarks/retrieval_quality.py` shows what they are worth on
the other half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from knowledge.embedder import Vectors

#: How deep each search is looked into; scores are standardised by the mean and spread of the best
#: this many.
DEPTH = 100

#: How much the dense score counts, the keyword score having the rest. The bundled embedder was
#: trained on English: on Norwegian questions over Norwegian text it is far worse than keywords.
#: Keywords, in turn, say nothing of a passage in another language than the question's.
DENSE_SHARE = 0.5
DENSE_SHARE_FOREIGN = 0.1
DENSE_SHARE_ACROSS = 0.9

#: How many of the best passages move the question, and how far.
FEEDBACK_PASSAGES = 3
FEEDBACK_WEIGHT = 0.3

#: How many of its neighbours a passage is mixed with, and how much they count together.
NEIGHBOURS = 3
NEIGHBOUR_SHARE = 0.4

#: The squared cosines of a passage's neighbours must sum to this for them to count in full.
CLOSE_NEIGHBOURS = 1.0

#: Among fewer candidates than this, everything is everything's neighbour.
ENOUGH_CANDIDATES = 30


@dataclass(frozen=True)
class Languages:
    """The languages that meet in a comparison (ISO 639-1).

    Attributes:
        known: Those the embedder was made for; None if it was made for many.
        asked: The question's.
        said: The passage's.
    """

    known: frozenset[str] | None
    asked: str
    said: str

    @cached_property
    def are_foreign(self) -> bool:
        """Whether the embedder was not made for one of them, so that its vectors say little."""
        return self.known is not None and not {self.asked, self.said} <= self.known

    @cached_property
    def dense_share(self) -> float:
        """How much the dense score counts."""
        if self.are_foreign:
            return DENSE_SHARE_FOREIGN
        return DENSE_SHARE if self.asked == self.said else DENSE_SHARE_ACROSS


@dataclass(frozen=True)
class Candidates:
    """Passages that one of the searches found, in any order.

    Attributes:
        ids: Their ids, each once.
        vectors: Theirs, of length 1; shape `(len(ids), dimensions)`.
        keyword_scores: BM25, shape `(len(ids),)`; 0 where there is no word of the question.
        languages: For each the question's and its own.
    """

    ids: Sequence[str]
    vectors: Vectors
    keyword_scores: NDArray[np.float64]
    languages: Sequence[Languages]


def rank(query: Vectors, candidates: Candidates, unrelated: float = 0.0) -> dict[str, float]:
    """Return the candidates' scores by id, best first; the scores themselves mean nothing.

    Args:
        query: The question's vector, of length 1.
        candidates: What was found; equal scores keep its order.
        unrelated: The cosine that texts with nothing in common have with this embedder.
    """
    if not candidates.ids:
        return {}
    vectors = candidates.vectors
    keywords = _standardised(candidates.keyword_scores)
    share = np.array([languages.dense_share for languages in candidates.languages])
    scores = _fused(vectors @ query, keywords, share)
    if not any(
        languages.are_foreign for languages in candidates.languages
    ):  # where the vectors cannot be trusted, they are not built upon either
        best = np.argsort(-scores, kind="stable")[:FEEDBACK_PASSAGES]
        moved = query + FEEDBACK_WEIGHT * vectors[best].mean(axis=0)
        scores = _fused(vectors @ (moved / np.linalg.norm(moved)), keywords, share)
        scores = _smoothed(scores, vectors, unrelated)
    order = np.argsort(-scores, kind="stable")
    ids = candidates.ids
    return {ids[i]: score for i, score in zip(order.tolist(), scores[order].tolist(), strict=True)}


def _fused(
    similarities: NDArray[np.floating[Any]],
    keywords: NDArray[np.floating[Any]],
    share: NDArray[np.floating[Any]],
) -> NDArray[np.floating[Any]]:
    fused: NDArray[np.floating[Any]] = share * _standardised(similarities) + (1 - share) * keywords
    return fused


def _standardised(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return scores in standard deviations from the mean of the best `DEPTH`."""
    best = np.sort(scores.astype(np.float64))[-DEPTH:]
    mean = float(best.sum()) / len(best)
    spread = math.sqrt(float(((best - mean) ** 2).sum()) / len(best))
    standardised: NDArray[np.floating[Any]] = (scores - mean) / (spread if spread > 1e-9 else 1.0)
    return standardised


def _smoothed(
    scores: NDArray[np.floating[Any]], vectors: Vectors, unrelated: float
) -> NDArray[np.floating[Any]]:
    """Mix the scores of the best `DEPTH` with those of their neighbours; the rest follows after."""
    order = np.argsort(-scores, kind="stable")
    near = order[:DEPTH]
    if len(near) < ENOUGH_CANDIDATES:
        return scores
    low, high = float(scores[near[-1]]), float(scores[near[0]])
    shares = (scores[near] - low) / (high - low if high > low else 1.0)
    nearest = vectors[near]
    likeness = np.maximum((nearest @ nearest.T - unrelated) / (1 - unrelated), 0)
    np.fill_diagonal(likeness, 0)
    least = np.partition(likeness, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS][:, None]
    weights = np.where(likeness >= least, likeness**2, 0)
    total = weights.sum(axis=1)
    mixed = NEIGHBOUR_SHARE * np.minimum(1, total / CLOSE_NEIGHBOURS)
    means = (weights @ shares) / (total + 1e-9)
    smoothed: NDArray[np.floating[Any]] = np.empty_like(scores)
    smoothed[near] = (1 - mixed) * shares + mixed * means
    rest = order[DEPTH:]
    smoothed[rest] = -1 - np.arange(len(rest))
    return smoothed
