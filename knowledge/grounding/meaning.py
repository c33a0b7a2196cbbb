"""How near a statement's meaning is to the sentences it may rest on: cosines of vectors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from knowledge.grounding.features import MEANING, Compared
from knowledge.grounding.reading import EmbedsTexts, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]


class Meaning:
    """Vectors of texts, each computed once, when it is first needed.

    Only the few sentences that share most words with a statement are embedded, so that a check
    costs some ten milliseconds whatever the passages' length.
    """

    def __init__(self, embedder: EmbedsTexts) -> None:
        """Take the embedder."""
        self._embedder = embedder
        self._known: dict[str, Vector] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Embed texts at once, which is quicker than one by one as they are needed."""
        self._vectors(texts)

    def figures(self, statement: str, compared: Compared, reading: Reading) -> dict[str, float]:
        """Return the features of `MEANING`; all 0 where there is nothing to compare with."""
        if compared.best is None:
            return dict.fromkeys(MEANING, 0.0)
        texts = texts_compared(statement, compared, reading)
        _, best, window, headed, *_ = texts
        vectors = self._vectors(texts)
        mine = vectors[statement]
        return {
            "cosine of the best sentence": float(mine @ vectors[best]),
            "cosine of the window": float(mine @ vectors[window]),
            "cosine with the heading": float(mine @ vectors[headed]),
            "highest cosine": max(float(mine @ vector) for vector in vectors.values()
                                  if vector is not mine) if len(vectors) > 1 else 1.0,
        }  # fmt: skip

    def _vectors(self, texts: Iterable[str]) -> dict[str, Vector]:
        wanted = dict.fromkeys(texts)
        new = [text for text in wanted if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed_passages(new), strict=True))
        return {text: self._known[text] for text in wanted}


def texts_compared(statement: str, compared: Compared, reading: Reading) -> tuple[str, ...]:
    """Return the texts whose vectors are needed: the statement, the best sentence, its window,
    the best sentence under its heading, and the other likely ones."""
    if compared.best is None:
        return ()
    best = reading.sentences[compared.best]
    return (
        statement,
        best.text,
        " ".join(reading.sentences[place].text for place in compared.window),
        f"{reading.grounds[best.passage].heading}: {best.text}",
        *(reading.sentences[place].text for place in compared.likely),
    )
