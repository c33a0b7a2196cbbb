"""Running an encoder that OpenVINO has compiled, from many threads at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: Token ids and the like of one text, in the order of the model's inputs, `(1, tokens)` each.
    Inputs = Sequence[NDArray[np.int64]]


class Encoder:
    """One compiled model: a text in, a vector out."""

    def __init__(self, model: Any, read: Callable[[str], Inputs]) -> None:
        """Take the model, from `compiled`, and what makes its inputs of a text."""
        self._model = model
        self._read = read
        self._idle_requests: SimpleQueue[Any] = SimpleQueue()
        # OpenVINO's binding looks numpy up at its first array, behind a lock that it waits for
        # while it holds Python's own: two threads that both come first wait for each other for
        # ever. So one comes first alone.
        self.encode("first")

    def encode(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a text, shape `(dimensions,)`."""
        inputs = self._read(text)
        try:
            request = self._idle_requests.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        vector: NDArray[np.float32] = request.infer(list(inputs))[0][0].copy()
        self._idle_requests.put(request)
        return vector

    def encode_all(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of several texts, shape `(len(texts), dimensions)`; not of none.

        Texts are computed one by one, as many at once as there are cores. Batches would be no
        faster on a CPU, and a question that is asked meanwhile would wait for a whole batch.
        """
        import numpy as np

        with ThreadPoolExecutor(max_workers=usable_cores()) as threads:
            return np.stack(list(threads.map(self.encode, texts)))


def compiled(model: Any) -> Any:
    """Compile an OpenVINO model for this machine.

    One core for each text in work: cores that work on one text together wait for each other at
    every step, which beside a busy model costs up to ten times the time.
    """
    import openvino

    settings = {"NUM_STREAMS": usable_cores(), "INFERENCE_NUM_THREADS": usable_cores()}
    return openvino.Core().compile_model(model, "CPU", settings)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def encodable(text: str) -> str:
    """Replace what no UTF-8 can hold; tokenizers refuse it."""
    return text.encode("utf-8", "replace").decode("utf-8")
