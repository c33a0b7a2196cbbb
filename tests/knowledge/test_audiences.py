"""Thousands of questions by random askers over random documents: nobody sees what is not theirs.

Whatever is found carries its audience twice: as retrieval says it, and in its address, which the
test wrote itself.
"""

from __future__ import annotations

import os
import random
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from knowledge.embedder import MiniLmEmbedder
from knowledge.retrieval import Retrieval
from knowledge.serving_index import Serving, ServingIndex
from knowledge.verified import VerifiedAnswers, questions_from
from storage import pairs
from storage.pairs import NewPair
from tests.knowledge.house import House

#: `make test-long` asks ten thousand.
QUESTIONS = 10_000 if os.environ.get("SKREDDER_LONG") else 1_200
ROUNDS = 4
AUDIENCES = (
    *("everyone", "channel:hr", "channel:board", "channel:HR", "channel:hr ", "hr", "", "å/ø"),
    *("channel:hr' OR '1'='1", "C0123456789", "guests", "*"),
)
SUBJECTS = (
    *("parental leave", "travel expenses", "the office in Bergen", "laptops", "pension"),
    *("sick leave", "the cabin", "bonus", "parking", "overtime", "lunch", "training budget"),
)
FORMS = (
    "What is the rule for {}?",
    "{}",
    "who decides about {} and how much is it",
    "Tell me everything about {} please",
    "How many days of {} are there, and {}?",
)


class RememberingEmbedder(MiniLmEmbedder):
    """The real embedder; the same question is not computed twice."""

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        self._remembered = lru_cache(maxsize=None)(super().embed_query)

    def embed_query(self, text: str) -> Any:
        return self._remembered(text)


def _page(chance: random.Random, number: int) -> str:
    one, other = chance.sample(SUBJECTS, 2)
    return (
        f"# About {one}\n\nRule {number} for {one}: {chance.randint(2, 90)} days, decided by "
        f"the people team.\n\n## And {other}\n\nFor {other} it is {chance.randint(1, 9)}000 NOK."
    )


def _question(chance: random.Random) -> str:
    return chance.choice(FORMS).format(*chance.choices(SUBJECTS, k=2))


def _asker(chance: random.Random) -> frozenset[str]:
    return frozenset(chance.sample(AUDIENCES, chance.choice((0, 1, 1, 2, 2, 3, 5))))


@pytest.fixture
def retrieval(house: House, embedder_cache: Path) -> Retrieval:
    remembering = RememberingEmbedder(embedder_cache)
    serving = ServingIndex(Serving(remembering, house.index))
    return Retrieval(house.database, serving, house.keywords)


def test_thousands_of_questions_find_nothing_outside_the_asker_s_audiences(
    house: House, retrieval: Retrieval, tmp_path: Path
) -> None:
    chance = random.Random(3)
    found_something = 0
    for round_number in range(ROUNDS):
        for position, audience in enumerate(AUDIENCES):
            folder = tmp_path / str(position)
            folder.mkdir(exist_ok=True)
            for number in range(6):
                path = folder / f"of-{position}-{number}.md"
                if chance.random() < 0.2:
                    path.unlink(missing_ok=True)
                else:
                    path.write_text(_page(chance, number))
            house.ingest(folder, audience)
        if round_number == ROUNDS // 2:
            house.ingestion.remove(str(tmp_path / "2"), None, "U1")
        if round_number % 2:
            retrieval.warm()
        for _ in range(QUESTIONS // ROUNDS):
            asker = _asker(chance)
            hits = retrieval.search(_question(chance), asker, limit=6)
            found_something += bool(hits)
            for hit in hits:
                assert hit.audience in asker
                assert AUDIENCES[int(hit.uri.split("-")[1])] in asker
            for hit in hits[:1]:
                section = retrieval.section(hit.uri, hit.heading, asker)
                assert section is not None
                assert section.audience in asker
                others = frozenset(AUDIENCES) - {hit.audience}
                assert retrieval.section(hit.uri, hit.heading, others) is None
    assert found_something > QUESTIONS * 0.8


def test_thousands_of_questions_get_no_verified_answer_of_another_audience(
    house: House, embedder_cache: Path
) -> None:
    chance = random.Random(4)
    embedder = RememberingEmbedder(embedder_cache)
    serving = ServingIndex(Serving(embedder, house.index))
    verified = VerifiedAnswers(serving, questions_from(house.database))
    audience_of: dict[int, str] = {}
    for number in range(120):
        audience = chance.choice(AUDIENCES)
        with house.database.write() as session:
            new = NewPair(
                input=_question(chance),
                output=f"Answer {number}.",
                author="U1",
                origin="slack",
                origin_key=f"key-{number}",
                audience=audience,
            )
            pair = pairs.approve(session, pairs.propose(session, new).id, "U1")
        audience_of[pair.id] = audience
        verified.index(pair.id, pair.input, audience)
    found_something = 0
    for _ in range(QUESTIONS):
        asker, question = _asker(chance), _question(chance)
        match = verified.find(question, asker)
        with house.database.read() as session:
            exact = pairs.approved_answer(session, question, asker)
        if match is not None:
            found_something += 1
            assert audience_of[match.pair_id] in asker
        if exact is not None:
            assert exact.audience in asker
    assert found_something > QUESTIONS * 0.1
