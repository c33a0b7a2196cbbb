from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import pytest

from knowledge.embedder import MiniLmEmbedder
from knowledge.passage_index import PassageIndex
from knowledge.same_question import asks_the_same
from knowledge.serving_index import Serving, ServingIndex
from knowledge.verified import VerifiedAnswers, questions_from
from storage import pairs
from storage.database import Database
from storage.pairs import NewPair

DATA = Path(__file__).parent / "data"

ROOM = "Which room is the gear store in?"


class Approved:
    """Approved pairs: their questions by id, each for one audience."""

    def __init__(self) -> None:
        self.pairs: dict[int, tuple[str, str]] = {}

    def __call__(self, ids: Collection[int], audiences: Collection[str]) -> Mapping[int, str]:
        return {
            id: self.pairs[id][0]
            for id in ids
            if id in self.pairs and self.pairs[id][1] in audiences
        }


@pytest.fixture
def approved() -> Approved:
    return Approved()


@pytest.fixture
def verified(
    tmp_path: Path, embedder: MiniLmEmbedder, approved: Approved
) -> Iterator[VerifiedAnswers]:
    index = PassageIndex(tmp_path / "index", embedder.name)
    yield VerifiedAnswers(ServingIndex(Serving(embedder, index)), approved)
    index.close()


@pytest.fixture
def learn(verified: VerifiedAnswers, approved: Approved) -> Callable[..., None]:
    def learn_it(id: int, question: str, audience: str = "everyone") -> None:
        approved.pairs[id] = (question, audience)
        verified.index(id, question, audience)

    return learn_it


def test_the_question_itself_is_found_exactly_however_it_is_spelled(
    verified: VerifiedAnswers, learn: Callable[..., None]
) -> None:
    learn(7, ROOM)
    match = verified.find("which room is the  GEAR store in", {"everyone"})
    assert match is not None
    assert (match.pair_id, match.is_exact) == (7, True)


def test_the_question_in_other_words_is_found(
    verified: VerifiedAnswers, learn: Callable[..., None]
) -> None:
    learn(7, ROOM)
    match = verified.find("What room is the gear store?", {"everyone"})
    assert match is not None
    assert (match.pair_id, match.is_exact) == (7, False)
    assert match.similarity > 0.9


def test_an_exact_question_wins_over_a_near_one(
    verified: VerifiedAnswers, learn: Callable[..., None]
) -> None:
    learn(1, "What room is the gear store?")
    learn(2, ROOM)
    learn(3, "In which room is the gear store?")
    match = verified.find(ROOM, {"everyone"})
    assert match is not None
    assert match.pair_id == 2


def test_a_pair_is_found_only_by_its_own_audience(
    verified: VerifiedAnswers, learn: Callable[..., None]
) -> None:
    learn(7, ROOM, "channel:hr")
    for audiences in ({"everyone"}, {"channel:h"}, set()):
        assert verified.find(ROOM, audiences) is None
    assert verified.find(ROOM, {"everyone", "channel:hr"}) is not None


def test_what_sql_no_longer_approves_is_not_found_although_it_is_indexed(
    verified: VerifiedAnswers, learn: Callable[..., None], approved: Approved
) -> None:
    learn(7, ROOM)
    del approved.pairs[7]
    assert verified.find(ROOM, {"everyone"}) is None


def test_a_removed_pair_is_not_found(verified: VerifiedAnswers, learn: Callable[..., None]) -> None:
    learn(7, ROOM)
    learn(8, ROOM, "channel:hr")
    for _ in range(2):
        verified.remove(7)
    assert verified.find(ROOM, {"everyone"}) is None
    assert verified.find(ROOM, {"channel:hr"}) is not None


@pytest.mark.parametrize("question", ["", "  ", "🎉", "\x00\x1b", "a\ud800", "why " * 30_000])
def test_an_awkward_question_matches_nothing(
    verified: VerifiedAnswers, learn: Callable[..., None], question: str
) -> None:
    learn(7, ROOM)
    assert verified.find(question, {"everyone"}) is None


def test_the_index_is_brought_in_line_with_what_is_approved(
    verified: VerifiedAnswers, learn: Callable[..., None], approved: Approved
) -> None:
    learn(1, ROOM)
    learn(2, "Who leads the running group?")
    approved.pairs = {2: approved.pairs[2], 3: ("When is payday?", "channel:hr")}
    wanted = [(id, *pair) for id, pair in approved.pairs.items()]
    assert verified.reconcile(wanted) == 2
    assert verified.reconcile(wanted) == 0
    match = verified.find("When is payday?", {"channel:hr"})
    assert match is not None
    assert match.pair_id == 3


def test_only_approved_pairs_are_read_from_sql(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'skredder.db'}")
    database.migrate()
    ids = []
    with database.write() as session:
        for n, audience in enumerate(("everyone", "everyone", "channel:hr")):
            pair = NewPair(
                input=f"Question {n}?",
                output="Answer.",
                author="U1",
                origin="test",
                origin_key=f"test:{n}",
                audience=audience,
            )
            ids.append(pairs.propose(session, pair).id)
        for id in ids[1:]:
            pairs.approve(session, id, "U1")
    assert questions_from(database)(ids, {"everyone"}) == {ids[1]: "Question 1?"}
    database.close()


def _recognised(embedder: MiniLmEmbedder, file: str, kind: str) -> tuple[int, int]:
    rows = [line.split("\t") for line in (DATA / file).read_text().splitlines()]
    of_kind = [(one, other) for found, one, other in rows if found == kind]
    ones = embedder.embed_passages([one for one, _ in of_kind])
    others = embedder.embed_passages([other for _, other in of_kind])
    cosines = (ones * others).sum(axis=1)
    found = sum(
        asks_the_same(one, other, float(cosine))
        for (one, other), cosine in zip(of_kind, cosines, strict=True)
    )
    return found, len(of_kind)


@pytest.mark.parametrize("file", ["same_questions.tsv", "same_questions_unseen.tsv"])
def test_most_rewordings_are_recognised_and_near_misses_are_not(
    embedder: MiniLmEmbedder, file: str
) -> None:
    same, rewordings = _recognised(embedder, file, "same")
    wrong, near_misses = _recognised(embedder, file, "other")
    assert same >= 0.8 * rewordings
    assert wrong <= 0.04 * near_misses


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who approves leave over three weeks?", "Who approves leave under three weeks?"),
        ("May I take my laptop abroad with VPN?", "May I take my laptop abroad without VPN?"),
        ("Can my partner use it?", "Can't my partner use it?"),
        ("Who signs off NOK 14,000?", "Who signs off NOK 4,000?"),
        ("When is salary paid?", "Where is salary paid?"),
        ("How long is the trial period?", "How many have a trial period?"),
        ("Må jeg stemple før lunsj?", "Må jeg stemple etter lunsj?"),
        ("Hvor er julebordet?", "Når er julebordet?"),
    ],
)
def test_a_single_turning_word_keeps_two_questions_apart(one: str, other: str) -> None:
    assert asks_the_same(one, one, similarity=1.0)
    assert not asks_the_same(one, other, similarity=0.999)
