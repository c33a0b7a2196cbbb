"""The postings of one audience in memory, scored as FTS5's bm25() scores them.

FTS5 visits the rows that match one by one, which takes milliseconds where common words are asked
for in many audiences. Here each stem's rows lie in one array with their part of the score worked
out, so that a question is a few sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
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

    def __init__(self, rows: Sequence[Row], heading_weight: float) -> None:
        """Work out the scores.

        Args:
            rows: The passages.
            heading_weight: How many times a stem in the heading counts one in the text.
        """
        import numpy as np

        self.ids = [row.id for row in rows]
        self._places = {row.id: place for place, row in enumerate(rows)}
        self._slots: dict[str, int] = {}
        slots, places, weights = [], [], []
        for place, row in enumerate(rows):
            for stems, weight in ((row.heading, heading_weight), (row.text, 1.0)):
                slots += [self._slots.setdefault(stem, len(self._slots)) for stem in stems]
                places += [place] * len(stems)
                weights += [weight] * len(stems)
        key = np.array(slots, dtype=np.int64) * max(1, len(rows)) + np.array(places, dtype=np.int64)
        pairs, of_pair = np.unique(key, return_inverse=True)
        counted = np.bincount(of_pair, weights=weights, minlength=len(pairs))
        slot_of, self._rows = pairs // max(1, len(rows)), (pairs % max(1, len(rows))).astype(int)
        lengths = np.array([row.length for row in rows], dtype=np.float64)
        mean = max(1.0, lengths.mean()) if len(rows) else 1.0
        damping = K1 * (1 - B + B * lengths / mean)
        self._parts = counted * (K1 + 1) / (counted + damping[self._rows])
        self._starts = np.searchsorted(slot_of, np.arange(len(self._slots) + 1))

    def count(self, stem: str) -> int:
        """Return how many passages have a stem."""
        slot = self._slots.get(stem)
        return 0 if slot is None else int(self._starts[slot + 1] - self._starts[slot])

    def scores(self, rarity: Mapping[str, float]) -> Scores | None:
        """Return the scores of all passages, or None if no passage has any of the stems.

        Args:
            rarity: The stems asked for, each with its inverse document frequency.
        """
        import numpy as np

        rows, parts = [], []
        for stem, idf in rarity.items():
            slot = self._slots.get(stem)
            if slot is not None:
                found = slice(self._starts[slot], self._starts[slot + 1])
                rows.append(self._rows[found])
                parts.append(self._parts[found] * idf)
        if not rows:
            return None
        summed = np.bincount(
            np.concatenate(rows), weights=np.concatenate(parts), minlength=len(self.ids)
        )
        return Scores(self.ids, self._places, summed.astype(np.float64, copy=False))


@dataclass(frozen=True)
class Scores:
    """BM25 of every passage of one audience; 0 for those that have none of the stems."""

    ids: Sequence[str]
    places: Mapping[str, int]
    by_place: NDArray[np.float64]

    def best(self, limit: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the places and scores of the best passages, best first; of equals, the older."""
        import numpy as np

        scores = self.by_place
        if len(scores) > limit:
            least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            places = np.flatnonzero(scores >= max(least, 1e-12))
        else:
            places = np.flatnonzero(scores > 0)
        order = places[np.argsort(-scores[places], kind="stable")][:limit]
        return order, scores[order]

    def of(self, id: str) -> float:
        """Return the score of one passage; 0 if it is not there."""
        place = self.places.get(id)
        return 0.0 if place is None else float(self.by_place[place])
