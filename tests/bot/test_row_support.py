from __future__ import annotations

from dataclasses import replace

from bot.row_support import RowSupport, passages_of
from knowledge.grounding.checker import GroundingCheck
from tests.training.samples import pair, row_maker
from training.rows import Row


def row(number: int) -> Row:
    return row_maker().pair(pair(number), "held_out")


def test_the_passages_of_a_row_are_those_it_was_asked_with() -> None:
    found = passages_of(row(3))
    assert len(found) == 3
    assert found[0].heading == "Topic 3 > Limits"
    assert found[0].text == "For topic 3 the limit is 103 kroner a year."


def test_a_row_without_passages_has_none() -> None:
    bare = row(3)
    content = "Sources: none\n\nQuestion: Why?"
    messages = (bare.messages[0], replace(bare.messages[1], content=content))
    assert passages_of(replace(bare, messages=messages)) == []


def test_a_wrong_number_is_unsupported_and_a_right_one_is_not() -> None:
    support = RowSupport(GroundingCheck, ["Hei!"])
    asked = row(3)
    right, wrong, unknown = support(
        [asked, asked, asked],
        [
            "Hei! The limit is 103 kroner a year for topic 3 [1].",
            "Hei! The limit is 950 kroner a week for topic 3 [1].",
            "I don't know.",
        ],
    )
    assert right == (1, 0)
    assert wrong == (1, 1)
    assert unknown == (0, 0)
