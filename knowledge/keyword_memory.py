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

    def __init__(self, stored: Sequence[Row], heading_weight: float) -> None:
        """Work out the scores.

        Args:
            stored: The passages.
            heading_weight: How many times a stem in the heading counts one in the text.
        """
        self.ids = ids = [row.id for row in stored]
        self.places = {id: place for place, id in enumerate(ids)}
        slots_of: dict[str, int] = {}
        slots, places, weights = [], [], []
        for place, row in enumerate(stored):
            for stems, weight in ((row.heading, heading_weight), (row.text, 1.0)):
                slots += [slots_of.setdefault(stem, len(slots_of)) for stem in stems]
                places += [place] * len(stems)
                weights += [weight] * len(stems)
        key = np.array(slots, dtype=np.int64) * max(1, len(ids)) + np.array(places, dtype=np.int64)
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

    def found(self, stem: str) -> tuple[int, int]:
        """Return where a stem's passages begin and end in `rows` and `parts`."""
        return self._found.get(stem, (0, 0))

    def count(self, stem: str) -> int:
        """Return how many passages have a stem."""
        start, end = self.found(stem)
        return end - start


class Scores:
    """BM25 of every passage of several audiences together; 0 for those with none of the stems."""

    def __init__(
        self,
        postings: Mapping[str, Postings],
        stems: Sequence[str],
        weights: NDArray[np.float64],
    ) -> None:
        """Add up the scores.

        Args:
            postings: Those of each audience.
            stems: What was asked for.
            weights: What each stem counts in each audience, shape `(len(postings), len(stems))`:
                its inverse document frequency, scaled so that audiences can be compared.
        """
        self._postings = postings
        self._starts: dict[str, int] = {}
        rows, parts, lengths, offsets, factors = [], [], [], [], []
        start = 0
        for (audience, there), of_audience in zip(postings.items(), weights.tolist(), strict=True):
            self._starts[audience] = start
            for stem, weight in zip(stems, of_audience, strict=True):
                first, last = there.found(stem)
                if first < last:
                    rows.append(there.rows[first:last])
                    parts.append(there.parts[first:last])
                    lengths.append(last - first)
                    offsets.append(start)
                    factors.append(weight)
            start += len(there.ids)
        self._scores: NDArray[np.float64] = np.zeros(start)
        if rows:
            places = np.concatenate(rows) + np.repeat(np.array(offsets, np.int32), lengths)
            values = np.concatenate(parts) * np.repeat(factors, lengths)
            summed: NDArray[Any] = np.bincount(places, weights=values, minlength=start)
            self._scores = summed

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
        scores: NDArray[np.float64] = np.append(self._scores, 0.0)[places]
        return scores
