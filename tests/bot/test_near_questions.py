"""How well near-duplicates are told from near misses, on questions nothing was tuned on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.near_questions import NearQuestions
from knowledge.embedder import MiniLmEmbedder
from knowledge.near_questions import QuestionLikeness
from storage import pairs
from storage.database import Database
from storage.pairs import NewPair

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def likeness(tmp_path_factory: pytest.TempPathFactory) -> QuestionLikeness:
    return QuestionLikeness(MiniLmEmbedder(tmp_path_factory.mktemp("embedder")))


def labelled(name: str) -> Iterator[tuple[str, str, bool]]:
    asked = ""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        sign, _, text = line.partition(" ")
        if sign == "=":
            asked = text
        elif sign in "+-":
            yield asked, text, sign == "+"


def test_near_duplicates_are_told_from_near_misses(likeness: QuestionLikeness) -> None:
    examples = list(labelled("same_questions.txt"))
    assert len(examples) == 500
    found = [likeness.are_the_same(one, other) for one, other, _ in examples]
    right = sum(same and said for (*_, same), said in zip(examples, found, strict=True))
    precision, recall = right / sum(found), right / sum(same for *_, same in examples)
    print(f"precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.89
    assert recall >= 0.84


@pytest.mark.parametrize(
    ("question", "other", "are_the_same"),
    [
        ("Where do I park in Voss?", "Parking in Voss: where?", True),
        ("Where do I park in Voss?", "Where do I park in Bergen?", False),
        ("What was our budget in 2024?", "What was our budget in 2025?", False),
        ("Do interns get a discount?", "Do customers get a discount?", False),
        ("Når åpner butikken?", "Hvilken tid åpner butikken?", True),
        ("Når åpner butikken?", "Når stenger butikken?", False),
        ("", "", True),
    ],
)
def test_another_place_year_or_group_is_another_question(
    likeness: QuestionLikeness, question: str, other: str, are_the_same: bool
) -> None:
    assert likeness.are_the_same(question, other) == are_the_same


def test_a_repeated_question_is_found_among_all(
    database: Database, likeness: QuestionLikeness
) -> None:
    near = NearQuestions(likeness)
    texts = [text for _, text, same in labelled("same_questions_tuned.txt") if not same][:40]
    with database.write() as session:
        for number, text in enumerate([*texts, "Where can I leave my wet skis?"]):
            new = NewPair(text, "Hei!", "U1", "import", f"key {number}")
            pairs.propose(session, new, near=near.to(session, text))
        assert near.to(session, "Wet skis: where can I leave them?") == (len(texts) + 1,)
        assert near.to(session, "Where can I leave my wet coat?") == ()


def test_what_a_transaction_took_back_is_not_found(
    database: Database, likeness: QuestionLikeness
) -> None:
    near = NearQuestions(likeness)
    new = NewPair("Where can I leave my wet skis?", "Hei!", "U1", "import", "key")
    with database.write() as session:
        pairs.propose(session, new)
        assert near.to(session, new.input) == (1,)
        session.rollback()
    with database.read() as session:
        assert near.to(session, new.input) == ()


def test_erased_words_do_not_stay_in_memory(database: Database, likeness: QuestionLikeness) -> None:
    near = NearQuestions(likeness)
    secret = "Where did Kari Zwxyq leave her wet skis?"
    with database.write() as session:
        pairs.propose(session, NewPair(secret, "Hei!", "U1", "import", "k1"))
        pairs.propose(session, NewPair("Where is the boat?", "Hei!", "U1", "import", "k2"))
        near.follow(session)
    near.prepare(["Where did Kari Zwxyq put her wet skis?"])
    assert _is_remembered("Zwxyq", near, likeness)
    with database.write() as session:
        pairs.erase(session, 1, "U9")
    with database.read() as session:
        near.follow(session)
        assert near.to(session, "Where is our boat?") == (2,)
    assert not _is_remembered("Zwxyq", near, likeness)


def _is_remembered(word: str, *holders: object) -> bool:
    return any(word.casefold() in repr(vars(holder)).casefold() for holder in holders)


def test_a_transaction_does_not_wait_for_the_model(
    database: Database, likeness: QuestionLikeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = NearQuestions(likeness)
    asked = ["Where do wet skis go?", "Where can I leave skis that are wet?", "Who waxes skis?"]
    with database.write() as session:
        stored = NewPair("Where can I leave my wet skis?", "Hei!", "U1", "import", "key")
        pairs.propose(session, stored)
    with database.read() as session:
        near.follow(session)
    near.prepare(asked)

    def refuse(*_: object) -> None:
        raise AssertionError("the model was asked within a transaction")

    monkeypatch.setattr(likeness, "_embedder", type("Nothing", (), {"embed_passages": refuse})())
    with database.write() as session:
        for number, question in enumerate(asked):
            new = NewPair(question, "Hei!", "U1", "import", f"key {number}")
            pairs.propose(session, new, near=near.to(session, question))
