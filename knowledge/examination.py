"""Comparing the indexes with SQL, without changing anything: what `skredder doctor` asks.

A passage's id is a digest of its place and its text, so that equal sets of ids mean equal texts.
Whether a vector still is the vector of its text is tried out on a sample.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from knowledge.indexing import Indexes, embedded_text
from storage import documents
from storage.database import Database

#: How many passages of each audience are embedded again and compared.
SAMPLE = 12

#: The same text embedded twice differs only by rounding; below this cosine it is another text.
SAME_VECTOR = 0.98


@dataclass(frozen=True)
class AudienceExamination:
    """How the indexes of one audience stand against SQL, in passages.

    Attributes:
        served: What SQL serves.
        without_vector: Served, but missing among the vectors.
        without_keywords: Served, but missing in the keyword index.
        not_served: In an index although SQL does not serve it.
        wrong_vectors: Of `sampled` vectors, how many are not those of their text.
    """

    audience: str
    served: int
    without_vector: int
    without_keywords: int
    not_served: int
    sampled: int
    wrong_vectors: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing has to be put right."""
        wrong = self.without_vector + self.without_keywords + self.not_served + self.wrong_vectors
        return wrong == 0


def examine(database: Database, indexes: Indexes, seed: int = 0) -> list[AudienceExamination]:
    """Compare SQL with both indexes, audience by audience.

    Args:
        database: The truth.
        indexes: What is derived from it.
        seed: Chooses the sample of vectors.
    """
    with indexes.exclusively():
        with database.read() as session:
            audiences = documents.all_audiences(session)
        everyone = audiences | indexes.index.audiences("passages") | indexes.keywords.audiences()
        return [_examine(database, indexes, audience, seed) for audience in sorted(everyone)]


def _examine(database: Database, indexes: Indexes, audience: str, seed: int) -> AudienceExamination:
    with database.read() as session:
        served = documents.served_ids(session, audience)
    with_vectors = indexes.index.ids("passages", audience)
    with_keywords = indexes.keywords.ids(audience)
    both = sorted(served & with_vectors)
    sample = random.Random(seed).sample(both, min(SAMPLE, len(both)))  # noqa: S311 - no secret
    return AudienceExamination(
        audience=audience,
        served=len(served),
        without_vector=len(served - with_vectors),
        without_keywords=len(served - with_keywords),
        not_served=len((with_vectors | with_keywords) - served),
        sampled=len(sample),
        wrong_vectors=_wrong_vectors(database, indexes, audience, sample),
    )


def _wrong_vectors(database: Database, indexes: Indexes, audience: str, ids: list[str]) -> int:
    if not ids:
        return 0
    with database.read() as session:
        passages = documents.passages_by_ids(session, ids, {audience})
    stored = indexes.index.vectors("passages", audience, ids)
    chosen = [passages[id] for id in ids if id in passages]
    made = indexes.embedder.embed_passages([embedded_text(passage) for passage in chosen])
    return sum(
        float(stored[passage.id] @ vector) < SAME_VECTOR
        for passage, vector in zip(chosen, made, strict=True)
    )
