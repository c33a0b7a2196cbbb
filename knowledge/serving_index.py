"""The vector space that serves now, and the moment in which another takes its place.

A question must be embedded by the embedder that filled the index it is looked up in. Whoever needs
both reads `ServingIndex.current` once at the start of its work and keeps to what it got:

    serving = self._serving.current
    vector = serving.embedder.embed_query(query)
    near = serving.index.query("passages", audience, vector, limit)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from knowledge.embedder import Embedder
from knowledge.embedder_model import EmbedderUnusable
from knowledge.passage_index import PassageIndex
from storage import serving_embedder
from storage.database import Database

log = logging.getLogger(__name__)

#: Opens the embedder that is named as the settings name it; raises `EmbedderUnusable`.
OpenEmbedder = Callable[[str], Embedder]


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


@dataclass(frozen=True)
class Opened:
    """What serves after a start. `is_settled` is whether it is what the settings name."""

    serving: Serving
    is_settled: bool


def open_serving(
    database: Database, folder: Path, named: str, open_embedder: OpenEmbedder
) -> Opened:
    """Open the vectors that serve, with their embedder.

    If those cannot be used any more (their embedder is gone, or the index was lost), the embedder
    that the settings name serves at once, and `reconcile` makes the vectors that are missing.

    Args:
        database: Says which vectors are complete.
        folder: Where the index lies.
        named: The embedder that the settings name.
        open_embedder: Opens embedders by that name.

    Raises:
        EmbedderUnusable: the embedder that the settings name is needed now, and cannot be used.
        IndexOwned: another process has the index open.
        IndexUnusable: the folder cannot be written or read.
    """
    with database.read() as session:
        complete = serving_embedder.get(session)
    if complete is not None and complete.named != named:
        serving = _still_serving(complete.named, complete.space, folder, open_embedder)
        if serving is not None:
            return Opened(serving, is_settled=False)
    embedder = open_embedder(named)
    index = PassageIndex(folder, embedder.name)
    with database.write() as session:
        serving_embedder.change(session, named, embedder.name)
    return Opened(Serving(embedder, index), is_settled=True)


def _still_serving(
    named: str, space: str, folder: Path, open_embedder: OpenEmbedder
) -> Serving | None:
    try:
        embedder = open_embedder(named)
        if embedder.name != space:
            raise EmbedderUnusable(f"{named} is not the model any more that it was.")
        embedder.load()
    except EmbedderUnusable as error:
        log.warning("the vectors made by %s cannot serve on, new ones are made: %s", named, error)
        return None
    index = PassageIndex(folder, space)
    if space in index.embedder_names():
        return Serving(embedder, index)
    index.close()
    return None


def forget_other_spaces(index: PassageIndex, kept: set[str]) -> None:
    """Drop the vectors of all embedders but that of this index and those `kept`."""
    for space in index.embedder_names() - kept - {index.embedder_name}:
        index.drop_embedder(space)
        log.info("vectors dropped space=%s", space)
