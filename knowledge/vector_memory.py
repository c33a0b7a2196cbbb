"""The vectors of collections in memory, searched by their signs first.

A bare query of Chroma costs more than a millisecond whatever the collection's size, and a question
opens one collection for each audience. Here one bit says for each dimension on which side of the
collection's mean a vector lies. The share of bits in which two vectors differ tells the angle
between them (M. S. Charikar, "Similarity estimation techniques from rounding algorithms", 2002),
so the bits of all collections asked for give estimates on one scale, and only the best of these
are compared exactly.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge.merging import best_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from knowledge.embedder import Vectors

#: How many vectors are compared exactly for each one that is wanted, and at least in all. On
#: 9,000 passages of a handbook the best 100 by exact cosine are found to more than 99 %.
COMPARED_FOR_EACH = 6
COMPARED_AT_LEAST = 100

_WORD_BITS = 64

#: Estimated cosines are kept as whole numbers: this many steps for 1, counted from -2.
_STEPS = 16_000


@dataclass(frozen=True)
class Near:
    """The vectors nearest to one that was asked for, nearest first.

    Attributes:
        owners: For each the number of the collection it lies in, of those that were searched.
        ids: Their ids.
        cosines: Their cosines with what was asked for.
        vectors: Themselves, shape `(len(ids), dimensions)`.
    """

    owners: Sequence[int]
    ids: Sequence[str]
    cosines: NDArray[np.floating[Any]]
    vectors: Vectors


class VectorMemory:
    """Vectors of length 1 under their ids. Safe in several threads."""

    def __init__(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Take the vectors of a collection.

        Args:
            ids: One for each row of `vectors`, each once.
        """
        self._lock = threading.Lock()
        self._ids = [sys.intern(id) for id in ids]  # the keyword index has the same in memory
        self._places = {id: place for place, id in enumerate(self._ids)}
        self._vectors = np.array(vectors, dtype=np.float32)
        empty = np.zeros(self._vectors.shape[1], np.float32)
        self._mean = self._vectors.mean(axis=0) if len(self._ids) else empty
        centred = self._vectors - self._mean
        self._spread = float(np.linalg.norm(centred, axis=1).mean()) if len(self._ids) else 0.0
        self._signs = _signs(centred)

    def __len__(self) -> int:
        return len(self._ids)

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Store vectors, replacing those under the same ids."""
        with self._lock:
            self._grow(len(self._ids) + len(ids))
            signs = _signs(vectors - self._mean)
            for row, id in enumerate(map(sys.intern, ids)):
                place = self._places.setdefault(id, len(self._ids))
                if place == len(self._ids):
                    self._ids.append(id)
                self._vectors[place] = vectors[row]
                self._signs[:, place] = signs[:, row]

    def delete(self, ids: Iterable[str]) -> None:
        """Forget vectors; ids that are not there make no difference."""
        with self._lock:
            for id in ids:
                place = self._places.pop(id, None)
                if place is None:
                    continue
                last = self._ids.pop()
                if last == id:
                    continue
                self._ids[place] = last
                self._places[last] = place
                self._vectors[place] = self._vectors[len(self._ids)]
                self._signs[:, place] = self._signs[:, len(self._ids)]

    def nearest(self, vector: Vectors, limit: int) -> Near:
        """Return the nearest vectors of this collection alone, see `nearest_of`."""
        return nearest_of([self], vector, limit)

    def vectors(self, ids: Iterable[str]) -> dict[str, Vectors]:
        """Return the vectors of those `ids` that are there."""
        with self._lock:
            there = [(id, self._places[id]) for id in ids if id in self._places]
            rows = self._vectors[[place for _, place in there]]
        return {id: row for (id, _), row in zip(there, rows, strict=True)}

    def _grow(self, count: int) -> None:
        room = len(self._vectors)
        if count <= room:
            return
        wider = max(count, room + room // 2, 64)
        vectors = np.zeros((wider, self._vectors.shape[1]), dtype=np.float32)
        vectors[:room] = self._vectors
        signs = np.zeros((self._signs.shape[0], wider), dtype=np.uint64)
        signs[:, :room] = self._signs
        self._vectors, self._signs = vectors, signs


def nearest_of(memories: Sequence[VectorMemory], vector: Vectors, limit: int) -> Near:
    """Return the nearest vectors of several collections together.

    Args:
        memories: Each collection once, always in the same order (it is the order of locking).
        vector: Of length 1, shape `(dimensions,)`.
        limit: The most to return.
    """
    if not memories:
        return Near([], [], np.empty(0, np.float32), np.empty((0, len(vector)), np.float32))
    with _locked(memories):
        counts = [len(memory._ids) for memory in memories]
        ends = np.cumsum(counts)
        compared = max(COMPARED_AT_LEAST, COMPARED_FOR_EACH * limit)
        if sum(counts) > compared:
            chosen = np.sort(best_places(_estimates(memories, counts, vector), compared))
        else:
            chosen = np.arange(sum(counts))
        owners = np.searchsorted(ends, chosen, side="right")
        places = chosen - (ends - counts)[owners]
        compared_exactly = _rows(memories, owners, places)
        cosines = compared_exactly @ vector
        best = np.argsort(-cosines, kind="stable")[:limit]
        of_best = owners[best].tolist()
        ids = [
            memories[owner]._ids[place]
            for owner, place in zip(of_best, places[best].tolist(), strict=True)
        ]
    return Near(of_best, ids, cosines[best], compared_exactly[best])


def vectors_of(
    memories: Sequence[VectorMemory], owners: Sequence[int], ids: Sequence[str]
) -> tuple[list[int], Vectors]:
    """Return which of `ids` are there, by their number, and their vectors.

    Args:
        memories: Each collection once, always in the same order (it is the order of locking).
        owners: For each id the number of the collection it is looked for in, in order.
        ids: What is looked for.
    """
    with _locked(memories):
        places = [
            memories[owner]._places.get(id, -1) for owner, id in zip(owners, ids, strict=True)
        ]
        there = [number for number, place in enumerate(places) if place >= 0]
        of_these = np.array([owners[number] for number in there], dtype=np.intp)
        at = np.array([places[number] for number in there], dtype=np.intp)
        return there, _rows(memories, of_these, at)


def _rows(memories: Sequence[VectorMemory], owners: Any, places: Any) -> Vectors:
    """Return the vectors at `places` of their `owners`, which must be in order."""
    if not len(owners):
        return np.empty((0, memories[0]._vectors.shape[1] if memories else 0), np.float32)
    bounds = np.searchsorted(owners, np.arange(len(memories) + 1)).tolist()
    rows: Vectors = np.concatenate(
        [
            memory._vectors.take(places[start:end], axis=0)
            for memory, start, end in zip(memories, bounds[:-1], bounds[1:], strict=True)
            if start < end
        ]
    )
    return rows


@contextmanager
def _locked(memories: Sequence[VectorMemory]) -> Iterator[None]:
    with ExitStack() as locked:
        for memory in memories:
            locked.enter_context(memory._lock)
        yield


def _estimates(
    memories: Sequence[VectorMemory], counts: Sequence[int], vector: Vectors
) -> NDArray[np.uint16]:
    """Return the estimated cosines of all vectors, in steps."""
    means = np.stack([memory._mean for memory in memories])
    asked = vector - means
    signs = _signs(asked)
    spreads = np.array([memory._spread for memory in memories], dtype=np.float32)
    radii = (np.linalg.norm(asked, axis=1) * spreads)[:, None]
    by_bits = radii * _cosines(len(vector)) + (means @ vector)[:, None]
    steps = np.clip((by_bits + 2) * _STEPS, 0, 4 * _STEPS).astype(np.uint16)
    estimates = np.empty(sum(counts), dtype=np.uint16)
    # One collection after the other, so that what lies between stays in the processor's cache.
    differ = np.empty((len(signs), max(counts)), dtype=np.uint64)
    bits = np.empty(differ.shape, dtype=np.uint8)
    start = 0
    for number, (memory, count) in enumerate(zip(memories, counts, strict=True)):
        np.bitwise_xor(memory._signs[:, :count], signs[:, number, None], out=differ[:, :count])
        np.bitwise_count(differ[:, :count], out=bits[:, :count])
        apart = bits[:, :count].sum(axis=0, dtype=np.uint16)
        np.take(steps[number], apart, out=estimates[start : start + count], mode="clip")
        start += count
    return estimates


@lru_cache(maxsize=4)
def _cosines(dimensions: int) -> Vectors:
    """Return the cosine of the angle that each number of differing bits stands for."""
    bits = np.arange(dimensions + 1, dtype=np.float32)
    cosines: Vectors = np.cos(np.pi * bits / dimensions).astype(np.float32)
    return cosines


def _signs(centred: Vectors) -> NDArray[np.uint64]:
    """Return one bit for each dimension, packed; shape `(words, len(centred))`."""
    bits = centred > 0
    missing = -bits.shape[1] % _WORD_BITS
    if missing:
        bits = np.pad(bits, ((0, 0), (0, missing)))
    packed = np.packbits(bits, axis=1).view(np.uint64)
    return np.ascontiguousarray(packed.T)
