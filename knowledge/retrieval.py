"""Finding the passages for a question: by meaning and by words, for the right people only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from knowledge.abstaining import PRECISION
from knowledge.answer_selection import AnswerSelection, AnswerSentence
from knowledge.embedder import Embedder, likeness
from knowledge.evidence import Evidence, Witness, weigh
from knowledge.grounding.reading import Ground
from knowledge.keyword_index import QUERY_CHARACTERS, KeywordIndex, KeywordScores
from knowledge.language import detect_language
from knowledge.ranking import DEPTH, Candidates, Languages, rank
from knowledge.serving_index import Serving, ServingIndex
from knowledge.words import content_words, stems, words
from storage import documents
from storage.database import Database
from storage.documents import StoredPassage

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

#: How many keyword scores are read: more than are candidates, so that what the vectors found is
#: given its keyword score too.
KEYWORD_SCORES = 1_000

#: Two passages are shown once when they share this part of their runs of words (Jaccard).
NEAR_DUPLICATE_OVERLAP = 0.85

#: Passages that lie further apart than this are not even compared word by word.
NEAR_DUPLICATE_COSINE = 0.7

#: How many passages a reranker is given.
RERANKED = 20

#: How much what was asked before in a thread counts beside a question that leans on it, by its
#: words and by its meaning. Chosen on mtRAG's conversations (tests/benchmarks/follow_ups.py): put
#: before the question as a whole, what was asked before does harm.
CONTEXT_WORDS = 0.1
CONTEXT_MEANING = 0.2

#: Among so many passages the sentence is looked for that says whether there is an answer.
ANSWER_AMONG = 3

_RUN_LENGTH = 4

#: So many passages more than are wanted are fetched once one of the first was left out.
_MORE = 5


class Reranks(Protocol):
    """Reads a question together with each passage; slower and better than comparing vectors."""

    def scores(self, query: str, texts: Sequence[str]) -> tuple[float, ...]:
        """Return one score for each text; higher fits the question better."""


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
        document_id: The document it is of.
        version: The document's version.
        first: Its place in the document, from 0.
        last: The same, or further where neighbours were joined to it.
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
    document_id: int = 0
    version: int = 0
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Before:
    """What was asked before in a thread, and how much a question leans on it (1: a little)."""

    text: str
    weight: float = 1.0


class Retrieval:
    """Searches the indexes of the audiences it is given, and nothing else."""

    def __init__(
        self,
        database: Database,
        serving: ServingIndex,
        keywords: KeywordIndex,
        reranker: Reranks | None = None,
    ) -> None:
        """Take the collaborators; a reranker has the last word on the order if there is one."""
        self._database = database
        self._serving = serving
        self._keywords = keywords
        self._reranker = reranker
        self._selection = AnswerSelection()

    def search(
        self,
        query: str,
        audiences: Collection[str],
        limit: int = 5,
        *,
        before: Before | None = None,
    ) -> tuple[Passage, ...]:
        """Return the passages that fit a question best, best first.

        Args:
            query: What was asked; any text whatever.
            audiences: Whose documents may be used. None given, none found.
            limit: The most passages to return.
            before: What was asked before in the same thread, if the question leans on it.
        """
        if not audiences or not query.strip() or limit < 1:
            return ()
        serving = self._serving.current
        vector = _asked_vector(serving.embedder, query, before)
        candidates = self._candidates(serving, vector, query, before, sorted(audiences))
        scores = rank(vector, candidates, serving.embedder.unrelated_similarity)
        places = {id: place for place, id in enumerate(candidates.ids)}
        most = limit if self._reranker is None else max(limit, RERANKED)
        taken = self._distinct(list(scores), candidates.vectors, places, audiences, most)
        if self._reranker is not None:
            texts = [f"{passage.breadcrumb}\n{passage.text}" for passage in taken]
            scores |= zip(
                (passage.id for passage in taken),
                self._reranker.scores(query, texts),
                strict=True,
            )
            taken = sorted(taken, key=lambda passage: -scores[passage.id])[:limit]
        return tuple(
            _passage(
                stored,
                score=scores[stored.id],
                similarity=likeness(
                    float(candidates.vectors[places[stored.id]] @ vector), serving.embedder
                ),
                keyword_score=float(candidates.keyword_scores[places[stored.id]]),
                rank=number,
            )
            for number, stored in enumerate(taken, start=1)
        )

    def _candidates(
        self,
        serving: Serving,
        vector: Vectors,
        query: str,
        before: Before | None,
        audiences: list[str],
    ) -> Candidates:
        """Return what either search finds, of all audiences together."""
        language = detect_language(query)
        depth = _depth(KEYWORD_SCORES, audiences)
        keywords = self._keywords.search_all(audiences, query, language, depth, DEPTH)
        hits = [(audience, id) for audience, id, _ in keywords.best]
        earlier: KeywordScores | None = None
        if before is not None:
            earlier = self._keywords.search_all(audiences, before.text, language, depth, DEPTH)
            hits += [(audience, id) for audience, id, _ in earlier.best]
        found, vectors = serving.index.query_all(
            "passages", audiences, vector, _depth(DEPTH, audiences), DEPTH, others=hits
        )
        scores = keywords.of_all(found)
        if before is not None and earlier is not None:
            scores = scores + before.weight * CONTEXT_WORDS * earlier.of_all(found)
        said = self._keywords.languages_of(found)
        met = {each: Languages(serving.embedder.languages, language, each) for each in set(said)}
        return Candidates([id for _, id in found], vectors, scores, [met[each] for each in said])

    def warm(self) -> None:
        """Take the indexes into memory, as far as they fit; what changed since is taken anew."""
        self._serving.current.index.warm()
        self._keywords.warm()

    def evidence(
        self, query: str, hits: Sequence[Passage], precision: float = PRECISION
    ) -> Evidence:
        """Weigh whether a question can be answered from the passages found for it.

        Args:
            query: What was asked.
            hits: What was found.
            precision: The wished share, among questions that are tried, of those with an answer.
        """
        language = "no" if detect_language(query) == "no" else "en"
        asked = frozenset(stems(content_words(query[:QUERY_CHARACTERS]), language))
        audiences = {hit.audience for hit in hits}
        likely = hits[:ANSWER_AMONG]
        ranked = self.answer_sentences(
            query,
            [Ground(f"{hit.title} > {hit.heading}", hit.text) for hit in likely],
            [hit.similarity for hit in likely],
        )
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
            precision,
            answer=ranked[0].similarity if ranked else 0.0,
        )

    def answer_sentences(
        self, question: str, grounds: Sequence[Ground], similarities: Sequence[float]
    ) -> tuple[AnswerSentence, ...]:
        """Return the sentences of passages, the one that answers a question best first.

        Args:
            question: What was asked.
            grounds: The passages as they may be quoted, the one found first in front.
            similarities: How like the question each is.
        """
        embedder = self._serving.current.embedder
        language = "no" if detect_language(question) == "no" else "en"
        vector = embedder.embed_query(question)
        return self._selection.rank(
            question, vector, grounds, similarities, embedder=embedder, language=language
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
        self,
        waiting: list[str],
        vectors: Vectors,
        places: Mapping[str, int],
        audiences: Collection[str],
        limit: int,
    ) -> list[StoredPassage]:
        """Fetch the first `limit` passages, leaving out those that nearly repeat one before.

        Args:
            waiting: Ids of passages, best first.
            vectors: Theirs and perhaps others.
            places: By id the row in `vectors`.
            audiences: Whose passages may be returned.
            limit: The most passages to return.
        """
        taken: list[StoredPassage] = []
        count = limit
        while waiting:
            part, waiting = waiting[:count], waiting[count:]
            count = limit + _MORE  # some were left out: the next statement shall be the last
            with self._database.read() as session:
                stored = documents.passages_by_ids(session, part, audiences)
            for passage in (stored[id] for id in part if id in stored):
                vector = vectors[places[passage.id]]
                if any(
                    vector @ vectors[places[other.id]] > NEAR_DUPLICATE_COSINE
                    and _nearly_repeats(passage.text, other.text)
                    for other in taken
                ):
                    continue
                taken.append(passage)
                if len(taken) == limit:
                    return taken
        return taken


def _asked_vector(embedder: Embedder, query: str, before: Before | None) -> Vectors:
    vector = embedder.embed_query(query)
    if before is not None:
        vector = vector + before.weight * CONTEXT_MEANING * embedder.embed_query(before.text)
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    return vector


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
        document_id=stored.document_id,
        version=stored.version,
        first=stored.ordinal,
        last=stored.ordinal,
    )
