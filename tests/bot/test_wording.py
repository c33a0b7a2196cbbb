from __future__ import annotations

import pytest

from bot.wording import is_near

BAGS = "Bags leave the shops on Mondays and Thursdays before 11:00."
LAPTOPS = "Office staff get a 14 inch laptop, designers a 16 inch one with more memory."


@pytest.mark.parametrize(
    ("said", "page", "question"),
    [
        (BAGS, BAGS, "When do the bags leave?"),
        (
            "Your bags leave the shop on Mondays and Thursdays, before 11:00 [2].",
            BAGS,
            "When do our bags leave?",
        ),
        (
            "You have NOK 12,000 a year for courses, books and conferences.",
            "Each of us has NOK 12,000 a year for courses, books and conferences.",
            "What is my budget?",
        ),
        (
            "Du får 25 dager ferie i året.",
            "Alle får 25 dager ferie i året.",
            "Hvor mange feriedager har jeg?",
        ),
        (
            "You are asked to pay at once.",
            "On Tuesdays you are asked to pay at once.",
            "When do I pay on Tuesdays?",
        ),
    ],
)
def test_what_is_said_as_the_page_says_it_is_near(said: str, page: str, question: str) -> None:
    assert is_near(said, page, question)


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ("Your repair bags leave the shop on Mondays.", BAGS),
        ("Your laptop is a 16 inch one with more memory.", LAPTOPS),
        ("Bags leave the shops on Mondays and Thursdays, and we take care of yours.", BAGS),
        (
            "You are led by somebody who is not in the room.",
            "Hybrid meetings are led by somebody who is not in the room.",
        ),
        (
            "You have 10 paid days a year, and we need a note from your doctor.",
            "You have 10 paid days a year, and we need no note from your doctor.",
        ),
        (
            "Bags leave the shops on Mondays and Thursdays before 11:00, so you can rest.",
            BAGS,
        ),
        ("When bags leave the shops on Mondays and Thursdays before 11:00.", BAGS),
        ("Klatring er er onsdag klokka 18:00.", "Klatring er onsdag klokka 18:00."),
        ("", BAGS),
    ],
)
def test_what_leaves_out_adds_turns_round_or_stammers_is_not_near(said: str, page: str) -> None:
    assert not is_near(said, page, "What about it?")


def test_words_of_the_question_and_of_the_headings_may_be_taken_up() -> None:
    said = "Repair parcels: bags leave the shops on Mondays and Thursdays before 11:00."
    assert not is_near(said, BAGS, "When?")
    assert is_near(said, BAGS, "When do the repair parcels go?")
    assert is_near(said, BAGS, "When?", ["Sending > Repair parcels"])
