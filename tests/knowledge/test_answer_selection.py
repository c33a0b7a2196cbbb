from __future__ import annotations

import pytest

from knowledge.answer_selection import OFF_THE_QUESTION
from knowledge.grounding.reading import Ground
from tests.knowledge.house import House

CABIN = Ground(
    "The cabin > Rules",
    "The cabin has 10 beds and costs 400 kroner a night. Dogs may come, but stay in the hall. "
    "You have to be on the trip yourself.",
)
PARKING = Ground("Parking", "Cars must be moved before 06:15 on Tuesdays, when snow is ploughed.")


def _best(house: House, question: str) -> str:
    ranked = house.retrieval.answer_sentences(question, [CABIN, PARKING], [0.5, 0.3])
    assert len(ranked) == 4
    assert [each.score for each in ranked] == sorted((e.score for e in ranked), reverse=True)
    return ranked[0].text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what does a night cost?", "The cabin has 10 beds and costs 400 kroner a night."),
        ("may my dog come along?", "Dogs may come, but stay in the hall."),
        ("can I lend the cabin to a friend who goes without me?", "You have to be on the trip"),
        ("when does the car have to be gone?", "Cars must be moved before 06:15"),
    ],
)
def test_the_sentence_that_answers_comes_first(house: House, question: str, answer: str) -> None:
    assert _best(house, question).startswith(answer)


def test_what_stands_behind_a_semicolon_belongs_to_its_sentence(house: House) -> None:
    rules = Ground("Bin", "Deleted files stay 60 days; after that it takes a day. Ask for help.")
    ranked = house.retrieval.answer_sentences("how long does it take?", [rules], [0.5])
    whole = next(each for each in ranked if "60 days" in each.text)
    assert whole.text == "Deleted files stay 60 days; after that it takes a day."
    assert whole.parts == ("Deleted files stay 60 days;", "after that it takes a day.")
    assert len(ranked) == 2


def test_a_sentence_of_another_page_lies_far_below(house: House) -> None:
    ranked = house.retrieval.answer_sentences(
        "how much is a night at the cabin?", [CABIN, PARKING], [0.6, 0.1]
    )
    parking = next(each for each in ranked if each.passage == 1)
    assert parking.score < ranked[0].score - OFF_THE_QUESTION


def test_passages_without_a_sentence_and_questions_without_a_word_are_no_trouble(
    house: House,
) -> None:
    assert house.retrieval.answer_sentences("anything", [Ground("Empty", "")], [0.1]) == ()
    assert len(house.retrieval.answer_sentences("???", [PARKING], [0.1])) == 1
