"""How well near-duplicates are told from near misses, on questions nothing was tuned on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from bot.corrections import Corrections
from bot.near_questions import NearQuestions
from bot.pair_checks import Findings
from bot.permissions import Permissions
from bot.settings import People
from knowledge.embedder import MiniLmEmbedder
from knowledge.near_questions import QuestionLikeness, frame_of
from storage import pairs
from storage.database import Database
from storage.pairs import NewPair
from tests.bot.same_questions import Labelled, labelled


@pytest.fixture(scope="module")
def likeness(tmp_path_factory: pytest.TempPathFactory) -> QuestionLikeness:
    return QuestionLikeness(MiniLmEmbedder(tmp_path_factory.mktemp("embedder")))


def _reached(likeness: QuestionLikeness, examples: Sequence[Labelled]) -> tuple[float, float]:
    """Return precision and recall, and print them by language and by kind of near miss."""
    found = [likeness.are_the_same(each.one, each.other) for each in examples]
    said = list(zip(examples, found, strict=True))
    for language in ("en", "no"):
        some = [(each, it) for each, it in said if frame_of(each.one).language == language]
        precision, recall = _precision_and_recall(some)
        print(f"{language}: precision {precision:.3f}, recall {recall:.3f} of {len(some)}")
    kinds = Counter(each.kind for each in examples if each.kind)
    for kind, count in kinds.most_common():
        taken = sum(it for each, it in said if each.kind == kind)
        print(f"{kind}: {taken} of {count} taken for the same")
    precision, recall = _precision_and_recall(said)
    print(f"precision {precision:.3f}, recall {recall:.3f}")
    return precision, recall


def _precision_and_recall(said: Sequence[tuple[Labelled, bool]]) -> tuple[float, float]:
    right = sum(each.are_the_same and it for each, it in said)
    return right / sum(it for _, it in said), right / sum(each.are_the_same for each, _ in said)


def test_near_duplicates_are_told_from_near_misses(likeness: QuestionLikeness) -> None:
    examples = list(labelled("same_questions.txt"))
    assert len(examples) == 500
    precision, recall = _reached(likeness, examples)
    assert precision >= 0.90
    assert recall >= 0.85


def test_questions_in_quite_other_words_are_found_half_of_the_time(
    likeness: QuestionLikeness,
) -> None:
    """What is missed here is the distance to people who say it their own way."""
    precision, recall = _reached(likeness, list(labelled("same_questions_freer.txt")))
    assert precision >= 0.80
    assert recall >= 0.45


def test_of_hard_questions_a_fifth_is_found(
    likeness: QuestionLikeness,
) -> None:
    """Written to be hard. What is missed here is what is left to be done."""
    examples = list(labelled("same_questions_fresh.txt"))
    assert len(examples) == 504
    precision, recall = _reached(likeness, examples)
    assert precision >= 0.68
    assert recall >= 0.20


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
    near_misses = (q for q in labelled("same_questions_tuned.txt") if not q.are_the_same)
    texts = [each.other for each in near_misses][:40]
    with database.write() as session:
        for number, text in enumerate([*texts, "Where can I leave my wet skis?"]):
            new = NewPair(text, "Hei!", "U1", "import", f"key {number}")
            pairs.propose(session, new, near=near.to(session, text))
        assert near.to(session, "Wet skis: where can I leave them?") == (len(texts) + 1,)
        assert near.to(session, "Where can I leave my wet coat?") == ()


def test_a_rare_word_finds_the_question_among_many_that_share_more_words(
    database: Database, likeness: QuestionLikeness
) -> None:
    near = NearQuestions(likeness)
    texts = [f"Where can I leave my {n} boxes at the Bergen office?" for n in range(10, 70)]
    with database.write() as session:
        for number, text in enumerate([*texts, "Where do skis go in Bergen?"]):
            pairs.propose(session, NewPair(text, "Hei!", "U1", "import", f"key {number}"))
        asked = "Where can I leave my skis at the Bergen office?"
        assert near.to(session, asked) == (len(texts) + 1,)


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


def test_a_pair_that_takes_the_number_of_one_that_came_to_nothing_is_found(
    database: Database, likeness: QuestionLikeness
) -> None:
    near = NearQuestions(likeness)
    with database.write() as session:
        pairs.propose(session, NewPair("Who has the blue kayak?", "Hei!", "U1", "import", "k1"))
        near.follow(session)
        session.rollback()
    with database.write() as session:
        red = NewPair("Who has the red ladder?", "Hei!", "U1", "import", "k2")
        stored = pairs.propose(session, red)
        assert near.to(session, "Who has the red ladder?") == (stored.id,)
        assert near.to(session, "Who has the blue kayak?") == ()


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


@pytest.mark.parametrize("by_words_alone", [True, False])
def test_two_replicas_that_are_told_the_same_at_once_put_it_into_one_group(
    database: Database, likeness: QuestionLikeness, by_words_alone: bool
) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    is_near = None if by_words_alone else likeness
    replicas = [_replica(each, is_near) for each in (database, other)]
    asked = [
        "Where do we keep the ladder of the boat house?",
        "Where is the boat house ladder kept?",
    ]
    begun = Event()

    def propose(number: int, *, wait: float) -> str:
        new = NewPair(asked[number], "Hei! In the shed.", "U1", "slack", str(number))
        with (other if number else database).write() as session:
            begun.set()
            stored = replicas[number].propose_in(session, new, Findings())
            time.sleep(wait)
        return stored.group_key

    with ThreadPoolExecutor(1) as beside:
        late = beside.submit(propose, 0, wait=0.7)
        begun.wait(10)
        time.sleep(0.2)
        assert propose(1, wait=0) == late.result(30)
    other.close()


def _replica(database: Database, likeness: QuestionLikeness | None) -> Corrections:
    near = None if likeness is None else NearQuestions(likeness)
    return Corrections(database, Permissions(People()), 0.5, near=near)
