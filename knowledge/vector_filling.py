"""Making the vectors that a vector space lacks, of everything that SQL serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from knowledge.chunking import HEADING_TOKENS, PASSAGE_TOKENS
from knowledge.embedder import Embedder
from knowledge.indexing import BATCH, embedded_text
from knowledge.passage_index import Kind
from knowledge.serving_index import Serving
from knowledge.verified import verified_id
from storage import documents, pairs
from storage.database import Database

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

#: Texts between two looks at whether to stop, in the background.
_FEW_AT_A_TIME = 8


@dataclass(frozen=True)
class _Part:
    """Texts of one kind and audience that have no vector yet, by the id of the vector."""

    kind: Kind
    audience: str
    ids: tuple[str, ...]


def documents_cut_off(database: Database, embedder: Embedder) -> frozenset[int]:
    """Return the documents with passages of which the embedder does not read the end."""
    if embedder.passage_tokens >= PASSAGE_TOKENS + HEADING_TOKENS:
        return frozenset()
    with database.read() as session:
        served = {a: documents.served_ids(session, a) for a in documents.all_audiences(session)}
    cut_off: set[int] = set()
    for audience, all_ids in served.items():
        ids = iter(sorted(all_ids))
        while batch := tuple(islice(ids, BATCH)):
            with database.read() as session:
                passages = list(documents.passages_by_ids(session, batch, {audience}).values())
            counts = embedder.count_tokens([embedded_text(passage) for passage in passages])
            cut_off.update(
                passage.document_id
                for passage, tokens in zip(passages, counts, strict=True)
                if tokens > embedder.passage_tokens
            )
    return frozenset(cut_off)


class VectorFilling:
    """Compares a vector space with SQL, and makes what is missing in it."""

    def __init__(self, database: Database, target: Serving, gently: bool) -> None:
        self._database = database
        self._target = target
        self._gently = gently
        self._parts: list[_Part] = []
        self._questions: dict[str, str] = {}
        self.done = self.total = 0

    def compare(self) -> int:
        """Compare, and forget what SQL does not serve. Return how many texts have no vector."""
        with self._database.read() as session:
            served = {a: documents.served_ids(session, a) for a in documents.all_audiences(session)}
            approved = pairs.approved_questions(session)
        self._questions = {verified_id(id): question for id, question, _ in approved}
        asked: dict[str, set[str]] = {}
        for id, _, audience in approved:
            asked.setdefault(audience, set()).add(verified_id(id))
        self._parts = [*self._missing("passages", served), *self._missing("verified", asked)]
        missing = sum(len(part.ids) for part in self._parts)
        self.total = sum(len(ids) for ids in (*served.values(), *asked.values()))
        self.done = self.total - missing
        return missing

    def batches(self) -> Iterator[int]:
        """Make what the last comparison found missing; yield how many after each batch."""
        size = _FEW_AT_A_TIME if self._gently else BATCH
        for part in self._parts:
            ids = iter(part.ids)
            while batch := tuple(islice(ids, size)):
                texts = self._texts(part, batch)
                if texts:
                    vectors = self._embedded(part.kind, list(texts.values()))
                    self._target.index.upsert(part.kind, part.audience, list(texts), vectors)
                yield len(batch)

    def _missing(
        self, kind: Kind, wanted: Mapping[str, set[str] | frozenset[str]]
    ) -> Iterator[_Part]:
        index = self._target.index
        for audience in sorted(wanted.keys() | index.audiences(kind)):
            there = index.ids(kind, audience)
            right = wanted.get(audience, frozenset())
            index.delete(kind, audience, there - right)
            yield _Part(kind, audience, tuple(sorted(right - there)))

    def _texts(self, part: _Part, ids: Sequence[str]) -> dict[str, str]:
        if part.kind == "verified":
            return {id: self._questions[id] for id in ids}
        with self._database.read() as session:
            found = documents.passages_by_ids(session, ids, {part.audience})
        return {id: embedded_text(passage) for id, passage in found.items()}

    def _embedded(self, kind: Kind, texts: list[str]) -> Vectors:
        import numpy as np

        embedder = self._target.embedder
        if kind == "verified":  # a question is looked for among questions
            return np.stack([embedder.embed_query(text) for text in texts])
        if not self._gently:
            return embedder.embed_passages(texts)
        # One text keeps one core busy; the others are left to those who wait for answers.
        return np.concatenate([embedder.embed_passages([text]) for text in texts])
