"""Finding the passages for a question: by meaning and by words, for the right people only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge.embedder import MiniLmEmbedder
from knowledge.evidence import Evidence, Witness, weigh
from knowledge.keyword_index import QUERY_CHARACTERS, KeywordIndex
from knowledge.language import detect_language
from knowledge.passage_index import PassageIndex
from knowledge.ranking import DEPTH, Candidate, candidate_ids, is_foreign, rank
from knowledge.words import content_words, stems, words
from storage import documents
from storage.database import Database
from storage.documents import StoredPassage, Usable

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

#: How many keyword scores are read: more than are candidates, so that what the vectors found is
#: given its keyword score too.
KEYWORD_SCORES = 1_000

#: Two passages are shown once when they share this part of their runs of words (Jaccard).
NEAR_DUPLICATE_OVERLAP = 0.85

_RUN_LENGTH = 4


@dataclass(frozen=True)
class Passage:
    """A passage that was found.

    Attributes:
        id: The same as long as the passage says the same in the same place.
        uri: The document's address in its source.
        title: The document's title.
        heading: The innermost heading it stands under.
        text: The passage.
        audience: Who may see it.
        updated_at: When the document says it was last changed, if it does.
        score: What the order was made of; only the order means anything.
        similarity: The cosine of question and passage, -1 to 1.
        keyword_score: BM25; 0 if it has no word of the question.
        rank: 1 for the best.
        reviewed_until: When the document is to be reviewed, if it says so.
        link: Where people can open it, if they can.
    """

    id: str
    uri: str
    title: str
    heading: str
    text: str
    audience: str
    updated_at: datetime | None
    score: float
    similarity: float
    keyword_score: float
    rank: int
    reviewed_until: datetime | None = None
    link: str | None = None


class Retrieval:
    """Searches the indexes of the audiences it is given, and nothing else."""

    def __init__(
        self,
        database: Database,
        index: PassageIndex,
        keywords: KeywordIndex,
        embedder: MiniLmEmbedder,
    ) -> None:
        """Take the collaborators."""
        self._database = database
        self._index = index
        self._keywords = keywords
        self._embedder = embedder

    def search(self, query: str, audiences: Collection[str], limit: int = 5) -> tuple[Passage, ...]:
        """Return the passages that fit a question best, best first.

        Args:
            query: What was asked; any text whatever.
            audiences: Whose documents may be used. None given, none found.
            limit: The most passages to return.
        """
        if not audiences or not query.strip() or limit < 1:
            return ()
        language = detect_language(query)
        vector = self._embedder.embed_query(query)
        keyword_scores = self._keywords.search_all(
            sorted(audiences), query, language, _depth(KEYWORD_SCORES, audiences)
        )
        near = self._dense(vector, audiences)
        wanted = candidate_ids([near, keyword_scores])
        with self._database.read() as session:
            usable = documents.usable(session, wanted, audiences)
        vectors = self._vectors(usable)
        scores = rank(
            vector,
            [
                Candidate(
                    id,
                    vectors[id],
                    keyword_scores.get(id, 0.0),
                    is_foreign(language, usable[id].language),
                )
                for id in wanted
                if id in vectors
            ],
        )
        return tuple(
            _passage(
                stored,
                score=scores[stored.id],
                similarity=float(vectors[stored.id] @ vector),
                keyword_score=keyword_scores.get(stored.id, 0.0),
                rank=number,
            )
            for number, stored in enumerate(self._distinct(scores, audiences, limit), start=1)
        )

    def evidence(self, query: str, hits: Sequence[Passage]) -> Evidence:
        """Weigh whether a question can be answered from the passages found for it."""
        language = "no" if detect_language(query) == "no" else "en"
        asked = frozenset(stems(content_words(query[:QUERY_CHARACTERS]), language))
        audiences = {hit.audience for hit in hits}
        return weigh(
            asked,
            [
                Witness(
                    hit.similarity,
                    frozenset(stems(words(f"{hit.title} {hit.heading} {hit.text}"), language)),
                )
                for hit in hits
            ],
            self._keywords.frequencies(audiences, asked, language),
        )

    def section(self, uri: str, heading: str, audiences: Collection[str]) -> Passage | None:
        """Return the passage under a heading of a document, the first one if it has several.

        A heading that is not there any more gives None, as does a document that these
        audiences may not see.
        """
        with self._database.read() as session:
            stored = documents.passages_at(session, uri, audiences)
        wanted = " ".join(words(heading))
        for passage in stored:
            if " ".join(words(passage.heading)) == wanted:
                return _passage(passage, score=0.0, similarity=0.0, keyword_score=0.0, rank=1)
        for passage in stored:  # tiny sections stand joined, each line led by its heading
            if any(
                " ".join(words(line.partition(":")[0])) == wanted
                for line in passage.text.splitlines()
            ):
                return _passage(passage, score=0.0, similarity=0.0, keyword_score=0.0, rank=1)
        return None

    def _dense(self, vector: Vectors, audiences: Collection[str]) -> dict[str, float]:
        depth = _depth(DEPTH, audiences)
        return {
            near.id: near.similarity
            for audience in sorted(audiences)
            for near in self._index.query("passages", audience, vector, depth)
        }

    def _vectors(self, usable: Mapping[str, Usable]) -> dict[str, Vectors]:
        by_audience: dict[str, list[str]] = {}
        for id, passage in usable.items():
            by_audience.setdefault(passage.audience, []).append(id)
        return {
            id: vector
            for audience, ids in by_audience.items()
            for id, vector in self._index.vectors("passages", audience, ids).items()
        }

    def _distinct(
        self, ids: Iterable[str], audiences: Collection[str], limit: int
    ) -> list[StoredPassage]:
        """Fetch the first `limit` passages, leaving out those that nearly repeat one before."""
        waiting = list(ids)
        taken: list[StoredPassage] = []
        seen: list[frozenset[tuple[str, ...]]] = []
        while waiting:
            part, waiting = waiting[: limit + 5], waiting[limit + 5 :]
            with self._database.read() as session:
                stored = documents.passages_by_ids(session, part, audiences)
            for passage in (stored[id] for id in part if id in stored):
                runs = _runs(passage.text)
                if any(_nearly_repeats(runs, other) for other in seen):
                    continue
                taken.append(passage)
                seen.append(runs)
                if len(taken) == limit:
                    return taken
        return taken


def _depth(wanted: int, audiences: Collection[str]) -> int:
    """Return how deep each audience is looked into: over many, the best lie in few of each."""
    return wanted if len(audiences) < 3 else max(DEPTH // 4, 2 * wanted // len(audiences))


def _nearly_repeats(runs: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    return len(runs & other) >= NEAR_DUPLICATE_OVERLAP * len(runs | other)


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    all_words = words(text)
    last = max(1, len(all_words) - _RUN_LENGTH + 1)
    return frozenset(tuple(all_words[i : i + _RUN_LENGTH]) for i in range(last))


def _passage(
    stored: StoredPassage, *, score: float, similarity: float, keyword_score: float, rank: int
) -> Passage:
    return Passage(
        id=stored.id,
        uri=stored.uri,
        title=stored.title,
        heading=stored.heading,
        text=stored.text,
        audience=stored.audience,
        updated_at=stored.updated_at,
        score=score,
        similarity=similarity,
        keyword_score=keyword_score,
        rank=rank,
        reviewed_until=stored.reviewed_until,
        link=stored.link,
    )
