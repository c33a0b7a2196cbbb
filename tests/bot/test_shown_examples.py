from __future__ import annotations

from bot.shown_examples import ShownExamples
from knowledge.embedder import Embedder, MiniLmEmbedder
from storage.pairs import Pair
from tests.training.samples import PERSONA, find_section, pair
from training.prompt import cited_numbers

EMBEDDER: Embedder = MiniLmEmbedder()


def examples(*approved: Pair, count: int = 2) -> ShownExamples:
    return ShownExamples(
        approved, embedder=EMBEDDER, find_section=find_section, persona=PERSONA, count=count
    )


CAR = pair(1, input="Where do I park my car?")
CAT = pair(2, input="May I bring my cat?")
BIKE = pair(3, input="Where do I park my bicycle?")


def test_the_nearest_pairs_are_shown_the_nearest_last() -> None:
    turns = examples(CAR, CAT, BIKE)("Where can I leave my bicycle?")
    assert [turn.role for turn in turns] == ["user", "assistant"] * 2
    assert CAR.input in turns[0].content
    assert BIKE.input in turns[2].content


def test_an_example_rests_on_its_own_passage_and_cites_it() -> None:
    question, answer = examples(CAR, count=1)("Parking?")
    assert "the limit is 101 kroner" in question.content
    assert cited_numbers(answer.content) == (1,)


def test_an_example_whose_page_is_gone_cites_nothing() -> None:
    question, answer = examples(pair(1, sources=()), count=1)("Parking?")
    assert "Sources: none" in question.content
    assert cited_numbers(answer.content) == ()


def test_held_out_pairs_and_those_of_a_channel_are_never_shown() -> None:
    held_out = pair(1, split="held_out", input="Where do I park my bicycle?")
    private = pair(2, audience="C1", input="Where do I park my bicycle?")
    assert examples(held_out, private)("Where do I park my bicycle?") == ()
    turns = examples(held_out, private, CAT)("Where do I park my bicycle?")
    assert [CAT.input in turns[0].content, len(turns)] == [True, 2]
