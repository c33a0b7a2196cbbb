"""The vector space that serves now, and the moment in which another takes its place.

A question must be embedded by the embedder that filled the index it is looked up in. Whoever needs
both reads `ServingIndex.current` once at the start of its work and keeps to what it got:

    serving = self._serving.current
    vector = serving.embedder.embed_query(query)
    near = serving.index.query("passages", audience, vector, limit)
"""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.embedder import Embedder
from knowledge.passage_index import PassageIndex


@dataclass(frozen=True)
class Serving:
    """An embedder, and the index whose vectors it made."""

    embedder: Embedder
    index: PassageIndex


class ServingIndex:
    """Holds what serves now. Work that has begun goes on with what it read."""

    def __init__(self, serving: Serving) -> None:
        """Take what serves at first."""
        self._current = serving

    @property
    def current(self) -> Serving:
        """What serves now; read it once for each question."""
        return self._current

    def switch(self, serving: Serving) -> None:
        """Let another space serve all work that begins from now on."""
        self._current = serving
