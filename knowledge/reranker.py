"""Reranking: a cross-encoder reads question and passage together and says how well they fit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from knowledge.embedders.encoder import encodable
from knowledge.model_folder import (
    ModelFolderUnusable,
    description,
    find_model,
    load_cross_encoder,
)

SETTING = "knowledge.reranker"

#: Pairs in one go.
BATCH = 16

#: More characters of a question or passage than this are not even split into tokens.
LONGEST = 8_000


class RerankerUnusable(Exception):
    """The cross-encoder is missing, or is none; the message says what to do."""


class Reranker:
    """A folder or hub model in the format of sentence-transformers' CrossEncoder.

    It is loaded at its first use. All methods may be called from several threads.
    """

    def __init__(self, named: str) -> None:
        """Find the model.

        Args:
            named: A folder, or the id of a hub model, which is fetched if it was not before.

        Raises:
            RerankerUnusable: there is no such model, or it may not be loaded.
        """
        try:
            self._folder = find_model(named, SETTING)
        except ModelFolderUnusable as error:
            raise RerankerUnusable(str(error)) from error
        if not _gives_scores(self._folder):
            raise RerankerUnusable(
                f"{self._folder} was not trained to compare: a cross-encoder is needed. "
                f"Name another model under `{SETTING}` in the settings, or none."
            )
        self._loading = threading.Lock()
        self._model: Any = None
        self._computing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reranker")

    def load(self) -> None:
        """Load the model now instead of at its first use. Raises `RerankerUnusable`."""
        with self._loading:
            if self._model is None:
                self._model = self._load()

    def scores(self, query: str, texts: Sequence[str]) -> tuple[float, ...]:
        """Return how well each text fits the query, higher for better, in the order of `texts`.

        Scores are the model's own: they order the texts of one query, and mean nothing else.

        Raises:
            RerankerUnusable: the model cannot be loaded.
        """
        if not texts:
            return ()
        self.load()
        asked = encodable(query[:LONGEST])
        pairs = [(asked, encodable(text[:LONGEST])) for text in texts]
        return self._computing.submit(self._predict, pairs).result()

    def _predict(self, pairs: list[tuple[str, str]]) -> tuple[float, ...]:
        predicted = self._model.predict(pairs, batch_size=BATCH, show_progress_bar=False)
        return tuple(float(score) for score in predicted)

    def _load(self) -> Any:
        try:
            model = load_cross_encoder(self._folder)
            kinds = int(model.config.num_labels)
        except Exception as error:  # whatever the many model classes raise
            raise RerankerUnusable(
                f"{self._folder} cannot be loaded as a cross-encoder: {error}. "
                f"Name another one under `{SETTING}` in the settings, or none."
            ) from error
        if kinds != 1:
            raise RerankerUnusable(
                f"{self._folder} tells {kinds} kinds of pairs apart; a reranker gives one score. "
                f"Name another one under `{SETTING}` in the settings, or none."
            )
        return model


def _gives_scores(folder: Path) -> bool:
    """Whether the model has a head for scores; without one it would be loaded with a random one."""
    if (folder / "modules.json").is_file():
        return True
    architectures = description(folder, "config.json").get("architectures") or []
    return any(str(each).endswith("ForSequenceClassification") for each in architectures)
