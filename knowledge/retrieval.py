"""Finding the passages for a question: by meaning and by words, for the right people only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from knowledge.embedder import likeness
from knowledge.evidence import Evidence, Witness, weigh
from knowledge.keyword_index import QUERY_CHARACTERS, KeywordIndex
from knowledge.language import detect_language
from knowledge.ranking import DEPTH, Candidate, Languages, rank
from knowledge.serving_index import ServingIndex
from knowledge.words import content_words, stems, words
from storage import documents
from storage.database import Database
from storage.documents import StoredPassage

#: How many keyword scores are read: more than are candidates, so that what the vectors found is
#: given its keyword score too.
KEYWORD_SCORES = 1_000

#: Two passages are shown once when they share this part of their runs of words (Jaccard).
NEAR_DUPLICATE_OVERLAP = 0.85

#: Passages that lie further apart than this are not even compared word by word.
NEAR_DUPLICATE_COSINE = 0.7

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
        similarity: How like the question is to the passage: 1 the same, 0 nothing in common.
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
        serving: ServingIndex,
        keywords: KeywordIndex,
    ) -> None:
        """Take the collaborators."""
        self._database = database
        self._serving = serving
        self._keywords = keywords

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
        serving = self._serving.current
        vector = serving.embedder.embed_query(query)
        keywords = self._keywords.search_all(
            sorted(audiences), query, language, _depth(KEYWORD_SCORES, audiences), DEPTH
        )
        near = serving.index.query_all(
            "passages", sorted(audiences), vector, _depth(DEPTH, audiences), DEPTH
        )
        found: dict[str, dict[str, None]] = {}
        for audience, id in (*near, *((audience, id) for audience, id, _ in keywords.best)):
            found.setdefault(audience, {})[id] = None
        met: dict[str, Languages] = {}
        candidates: list[Candidate] = []
        for audience, ids in found.items():
            vectors = serving.index.vectors("passages", audience, tuple(ids))
            said = self._keywords.languages(audience, ids.keys())
            for each in {"en", *said.values()} - met.keys():
                met[each] = Languages(serving.embedder.languages, language, each)
            candidates += (
                Candidate(
                    id,
                    vectors[id],
                    keywords.of(audience, id),
                    met[said.get(id, "en")],
                )
                for id in ids
                if id in vectors
            )
        scores = rank(vector, candidates)
        by_id = {candidate.id: candidate for candidate in candidates}
        ranked = {id: by_id[id] for id in scores}
        return tuple(
            _passage(
                stored,
                score=scores[stored.id],
                similarity=likeness(float(ranked[stored.id].vector @ vector), serving.embedder),
                keyword_score=ranked[stored.id].keyword_score,
                rank=number,
            )
            for number, stored in enumerate(self._distinct(ranked, audiences, limit), start=1)
        )

    def warm(self) -> None:
        """Take the indexes into memory, as far as they fit; what changed since is taken anew."""
        self._serving.current.index.warm()
        self._keywords.warm()

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

    def _distinct(
        self, ranked: Mapping[str, Candidate], audiences: Collection[str], limit: int
    ) -> list[StoredPassage]:
        """Fetch the first `limit` passages, leaving out those that nearly repeat one before."""
        waiting = list(ranked)
        taken: list[StoredPassage] = []
        while waiting:
            part, waiting = waiting[: limit + 5], waiting[limit + 5 :]
            with self._database.read() as session:
                stored = documents.passages_by_ids(session, part, audiences)
            for passage in (stored[id] for id in part if id in stored):
                vector = ranked[passage.id].vector
                if any(
                    vector @ ranked[other.id].vector > NEAR_DUPLICATE_COSINE
                    and _nearly_repeats(passage.text, other.text)
                    for other in taken
                ):
                    continue
                taken.append(passage)
                if len(taken) == limit:
                    return taken
        return taken


def _depth(wanted: int, audiences: Collection[str]) -> int:
    """Return how deep each audience is looked into: over many, the best lie in few of each."""
    return wanted if len(audiences) < 3 else max(DEPTH // 4, 2 * wanted // len(audiences))


def _nearly_repeats(text: str, other: str) -> bool:
    runs, others = _runs(text), _runs(other)
    return len(runs & others) >= NEAR_DUPLICATE_OVERLAP * len(runs | others)


@lru_cache(maxsize=1_000)
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
