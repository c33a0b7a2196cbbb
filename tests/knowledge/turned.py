"""A second vector space, made of the first: quick, real, and of no use to the first's vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from knowledge.embedder import MiniLmEmbedder

if TYPE_CHECKING:
    from knowledge.embedder import Vectors


class TurnedEmbedder:
    """The vectors of the bundled embedder, read backwards. It keeps the passages it embeds."""

    name = "minilm-turned"
    dimensions = MiniLmEmbedder.dimensions
    passage_tokens = MiniLmEmbedder.passage_tokens
    languages = MiniLmEmbedder.languages
    unrelated_similarity = MiniLmEmbedder.unrelated_similarity

    def __init__(self, straight: MiniLmEmbedder) -> None:
        self._straight = straight
        self.embedded: list[str] = []

    def load(self) -> None:
        self._straight.load()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return np.ascontiguousarray(self._straight.embed_passages(texts)[:, ::-1])

    def embed_query(self, query: str) -> Vectors:
        return np.ascontiguousarray(self._straight.embed_query(query)[::-1])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._straight.count_tokens(texts)
