"""The postings of one audience in memory, scored as FTS5's bm25() scores them.

FTS5 visits the rows that match one by one, which takes milliseconds where common words are asked
for in many audiences. Here each stem's rows lie in one array with their part of the score worked
out, so that a question is a few sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge.merging import best_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOWHERE = (0, 0)

#: BM25's constants as FTS5 has them (sqlite.org/fts5.html, section 5.1.1).
K1, B = 1.2, 0.75


@dataclass(frozen=True)
class Row:
    """A passage as it is indexed in one language.

    Attributes:
        id: Its id.
        heading: The stems of its heading.
        text: The stems of its text.
        length: How many stems it is stored with, in all languages together.
    """

    id: str
    heading: Sequence[str]
    text: Sequence[str]
    length: int


class Postings:
    """The stems of one audience's passages in one language. Never changes; made anew instead."""

    def __init__(
        self, stored: Sequence[Row], places: Mapping[str, int], heading_weight: float
    ) -> None:
        """Work out the scores.

        Args:
            stored: The passages.
            places: The place of each id in `stored`.
            heading_weight: How many times a stem in the heading counts one in the text.
        """
        self.places = places
        self.ids = ids = list(places)
        slots_of: dict[str, int] = {}
        slots, at, weights = [], [], []
        for place, row in enumerate(stored):
            for stems, weight in ((row.heading, heading_weight), (row.text, 1.0)):
                slots += [slots_of.setdefault(stem, len(slots_of)) for stem in stems]
                at += [place] * len(stems)
                weights += [weight] * len(stems)
        key = np.array(slots, dtype=np.int64) * max(1, len(ids)) + np.array(at, dtype=np.int64)
        pairs, of_pair = np.unique(key, return_inverse=True)
        counted = np.bincount(of_pair, weights=weights, minlength=len(pairs))
        slot_of, rows = pairs // max(1, len(ids)), (pairs % max(1, len(ids))).astype(np.int32)
        lengths = np.array([row.length for row in stored], dtype=np.float64)
        mean = max(1.0, lengths.mean()) if ids else 1.0
        damping = K1 * (1 - B + B * lengths / mean)
        self.rows: NDArray[np.int32] = rows
        self.parts: NDArray[np.float64] = counted * (K1 + 1) / (counted + damping[rows])
        bounds = np.searchsorted(slot_of, np.arange(len(slots_of) + 1)).tolist()
        self._found = {stem: (bounds[slot], bounds[slot + 1]) for stem, slot in slots_of.items()}

    def found(self, stems: Sequence[str]) -> list[tuple[int, int]]:
        """Return where each stem's passages begin and end in `rows` and `parts`."""
        found = self._found.get
        return [found(stem, _NOWHERE) for stem in stems]


class Scores:
    """BM25 of every passage of several audiences together; 0 for those with none of the stems."""

    def __init__(
        self,
        postings: Mapping[str, Postings],
        found: Sequence[Sequence[tuple[int, int]]],
        weights: NDArray[np.float64],
    ) -> None:
        """Add up the scores.

        Args:
            postings: Those of each audience.
            found: For each audience where it has each stem that was asked for.
            weights: What each stem counts in each audience, shape `(len(postings), stems)`:
                its inverse document frequency, scaled so that audiences can be compared.
        """
        self._postings = postings
        self._starts: dict[str, int] = {}
        count = sum(last - first for of_audience in found for first, last in of_audience)
        places, values = np.empty(count, np.int32), np.empty(count)
        start = filled = 0
        for (audience, there), at, factors in zip(
            postings.items(), found, weights.tolist(), strict=True
        ):
            self._starts[audience] = start
            for (first, last), factor in zip(at, factors, strict=True):
                if first < last:
                    end = filled + last - first
                    np.add(there.rows[first:last], start, out=places[filled:end])
                    np.multiply(there.parts[first:last], factor, out=values[filled:end])
                    filled = end
            start += len(there.ids)
        # One more than there are: the score of what is not there.
        summed: NDArray[Any] = np.bincount(places, weights=values, minlength=start + 1)
        # Where nothing is added up, NumPy counts in whole numbers.
        self._scores_and_none: NDArray[np.float64] = summed.astype(np.float64, copy=False)
        self._scores = self._scores_and_none[:start]

    def best(self, limit: int) -> list[tuple[str, str, float]]:
        """Return audience, id and score of the best, best first; of equals, the older."""
        places = best_places(self._scores, limit)
        scores = self._scores[places]
        there = scores > 0
        places, scores = places[there], scores[there]
        audiences = list(self._starts)
        starts = np.array(list(self._starts.values()), dtype=np.intp)
        owners = np.searchsorted(starts, places, side="right") - 1
        within = (places - starts[owners]).tolist()
        return [
            (audience := audiences[owner], self._postings[audience].ids[place], score)
            for owner, place, score in zip(owners.tolist(), within, scores.tolist(), strict=True)
        ]

    def of_all(self, passages: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the scores of passages, given by audience and id, in their order."""
        end = len(self._scores)
        starts, postings = self._starts, self._postings
        places = [
            starts[audience] + place
            if audience in starts and (place := postings[audience].places.get(id)) is not None
            else end
            for audience, id in passages
        ]
        scores: NDArray[np.float64] = self._scores_and_none[places]
        return scores
