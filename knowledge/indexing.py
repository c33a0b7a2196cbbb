"""The two indexes as one: passages go into both, and come out of both."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from knowledge.embedder import Embedder
from knowledge.keyword_index import KeywordEntry, KeywordIndex
from knowledge.passage_index import PassageIndex
from knowledge.serving_index import Serving, ServingIndex
from storage.documents import StoredPassage
from storage.failpoints import failpoint

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

#: Passages embedded and stored in one go.
BATCH = 64

#: The most characters of title and breadcrumb that are embedded with a passage: about thirty
#: tokens, so that with a full passage nothing goes over the edge of what the embedder reads.
_LONGEST_HEADING = 120


class Indexes:
    """Vectors and keywords of the passages, kept together. Both are derived from SQL."""

    def __init__(self, index: PassageIndex, keywords: KeywordIndex, embedder: Embedder) -> None:
        """Take the two indexes and the embedder that fills the first."""
        self.serving = ServingIndex(Serving(embedder, index))
        self.keywords = keywords
        self._writing = threading.RLock()

    @property
    def index(self) -> PassageIndex:
        """The vectors that serve now."""
        return self.serving.current.index

    @property
    def embedder(self) -> Embedder:
        """The embedder of the vectors that serve now."""
        return self.serving.current.embedder

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep everyone else from changing the indexes; reading goes on."""
        with self._writing:
            yield

    def add(
        self, passages: Sequence[StoredPassage], replaced: Sequence[StoredPassage] = ()
    ) -> None:
        """Embed passages and put them into both indexes. Doing it again changes nothing.

        Args:
            passages: What is added.
            replaced: What they will take the place of; passages that say the same keep its vectors.
        """
        serving = self.serving.current
        for audience, group in groupby(passages, key=lambda passage: passage.audience):
            together = list(group)
            known = _vectors_by_text(serving, audience, replaced)
            kept = {
                each.id: known[text] for each in together if (text := embedded_text(each)) in known
            }
            if kept:
                serving.index.upsert("passages", audience, list(kept), np.stack([*kept.values()]))
            new = [each for each in together if each.id not in kept]
            for start in range(0, len(new), BATCH):
                add_vectors(serving, audience, new[start : start + BATCH])
            failpoint("ingest.vectors_stored")
            self.add_keywords(audience, together)

    def add_keywords(self, audience: str, passages: Iterable[StoredPassage]) -> None:
        """Put passages of one audience into the keyword index only."""
        entries = [KeywordEntry(p.id, p.breadcrumb, p.text, p.language) for p in passages]
        self.keywords.add(audience, entries)

    def remove(self, audience: str, ids: Sequence[str]) -> None:
        """Take passages of one audience out of both indexes."""
        if ids:
            self.index.delete("passages", audience, ids)
            self.keywords.delete(audience, ids)

    def drop(self) -> None:
        """Forget all passages; verified answers stay."""
        self.index.drop("passages")
        self.keywords.drop()


def _vectors_by_text(
    serving: Serving, audience: str, passages: Sequence[StoredPassage]
) -> dict[str, Vectors]:
    texts = {each.id: embedded_text(each) for each in passages if each.audience == audience}
    if not texts:
        return {}
    stored = serving.index.vectors("passages", audience, list(texts))
    return {texts[id]: vector for id, vector in stored.items()}


def add_vectors(serving: Serving, audience: str, passages: Sequence[StoredPassage]) -> None:
    """Embed passages of one audience and put them into a vector index."""
    vectors = serving.embedder.embed_passages([embedded_text(passage) for passage in passages])
    serving.index.upsert("passages", audience, [passage.id for passage in passages], vectors)


def embedded_text(passage: StoredPassage) -> str:
    """Return what the embedder reads of a passage: where it stands, and what it says."""
    heading = passage.breadcrumb
    if len(heading) > _LONGEST_HEADING:
        heading = f"{passage.title[: _LONGEST_HEADING // 2]} > {passage.heading}"
    return f"{heading[:_LONGEST_HEADING]}\n{passage.text}"
