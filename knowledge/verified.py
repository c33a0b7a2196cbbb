"""Finding the approved pair that answers a question, although it is asked in other words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from knowledge.embedder import likeness
from knowledge.same_question import asks_the_same
from knowledge.serving_index import ServingIndex
from storage import pairs
from storage.database import Database
from storage.pair_groups import question_key

#: How many near questions are compared word by word.
CANDIDATES = 5

#: Returns the questions of those of these pairs that are approved and for these audiences.
QuestionsOf = Callable[[Collection[int], Collection[str]], Mapping[int, str]]

_ID = re.compile(r"pair-(\d+)")


@dataclass(frozen=True)
class VerifiedMatch:
    """A pair whose question was asked. `similarity` is the likeness, `is_exact` the same words."""

    pair_id: int
    similarity: float
    is_exact: bool


class VerifiedAnswers:
    """The questions of approved pairs, by meaning. Holds only ids and vectors."""

    def __init__(self, serving: ServingIndex, questions_of: QuestionsOf) -> None:
        """Take the collaborators; `questions_of` is asked before anything is matched."""
        self._serving = serving
        self._questions_of = questions_of

    def index(self, pair_id: int, question: str, audience: str) -> None:
        """Make a pair findable. Doing it again changes nothing."""
        serving = self._serving.current
        vectors = serving.embedder.embed_query(question).reshape(1, -1)
        serving.index.upsert("verified", audience, [verified_id(pair_id)], vectors)

    def remove(self, pair_id: int) -> None:
        """Make a pair unfindable; one that was never indexed makes no difference."""
        index = self._serving.current.index
        for audience in index.audiences("verified"):
            index.delete("verified", audience, [verified_id(pair_id)])

    def find(self, question: str, audiences: Collection[str]) -> VerifiedMatch | None:
        """Return the approved pair whose question this is, or None.

        Args:
            question: What was asked.
            audiences: Whose pairs may be used. None given, none found.
        """
        if not audiences or not question.strip():
            return None
        serving = self._serving.current
        vector = serving.embedder.embed_query(question)
        near = sorted(
            (
                (likeness(hit.similarity, serving.embedder), int(found.group(1)))
                for audience in audiences
                for hit in serving.index.query("verified", audience, vector, CANDIDATES)
                if (found := _ID.fullmatch(hit.id))
            ),
            reverse=True,
        )
        asked = self._questions_of([pair_id for _, pair_id in near], audiences)
        key = question_key(question)
        matches = [
            VerifiedMatch(pair_id, similarity, is_exact=question_key(asked[pair_id]) == key)
            for similarity, pair_id in near
            if pair_id in asked and asks_the_same(question, asked[pair_id], similarity)
        ]
        return max(matches, key=lambda m: (m.is_exact, m.similarity, m.pair_id), default=None)

    def reconcile(self, approved: Iterable[tuple[int, str, str]]) -> int:
        """Make exactly these pairs findable. Return how many had to be added or removed.

        Args:
            approved: Pair id, question and audience of every approved pair.
        """
        wanted = {
            (audience, verified_id(id)): (id, question) for id, question, audience in approved
        }
        index = self._serving.current.index
        there = {
            (audience, id)
            for audience in index.audiences("verified")
            for id in index.ids("verified", audience)
        }
        for audience, id in there - wanted.keys():
            index.delete("verified", audience, [id])
        missing = wanted.keys() - there
        for audience, id in sorted(missing):
            self.index(*wanted[audience, id], audience)
        return len(there - wanted.keys()) + len(missing)


def questions_from(database: Database) -> QuestionsOf:
    """Return a function that reads the questions of approved pairs from SQL."""

    def questions_of(ids: Collection[int], audiences: Collection[str]) -> Mapping[int, str]:
        with database.read() as session:
            found = pairs.by_ids(session, ids)
        return {p.id: p.input for p in found if p.state == "approved" and p.audience in audiences}

    return questions_of


def verified_id(pair_id: int) -> str:
    """Return the id under which a pair lies in the index."""
    return f"pair-{pair_id}"
