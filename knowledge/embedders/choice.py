"""The embedder that the settings name."""

from __future__ import annotations

from pathlib import Path

from knowledge.embedder import Embedder, MiniLmEmbedder
from knowledge.embedders.multilingual import MultilingualEmbedder
from knowledge.embedders.sentence_model import SentenceModelEmbedder

ENGLISH = "english"
MULTILINGUAL = "multilingual"


def open_embedder(named: str, cache: Path) -> Embedder:
    """Return an embedder; its weights are loaded at the first use.

    Args:
        named: `english` or `multilingual` for the bundled ones, else a folder or the id of a hub
            model in the format of sentence-transformers.
        cache: Where converted models are kept.

    Raises:
        EmbedderUnusable: there is no such model, or it may not be loaded.
    """
    if named == ENGLISH:
        return MiniLmEmbedder(cache)
    if named == MULTILINGUAL:
        return MultilingualEmbedder()
    return SentenceModelEmbedder(named)
