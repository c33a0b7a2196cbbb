from __future__ import annotations

from datetime import UTC, datetime

from knowledge.packing import pack
from knowledge.retrieval import Passage


def passage(number: int, words: int, *, heading: str = "", place: int = 0) -> Passage:
    return Passage(
        id=f"{number}",
        document_id=1 if heading else number,
        version=1,
        uri=f"page-{number}.md",
        title="T",
        heading=heading or f"H{number}",
        text=" ".join([f"word{number}"] * words),
        audience="everyone",
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        first=place,
        last=place,
        score=1.0,
        similarity=0.5,
        keyword_score=1.0,
        rank=1,
    )


def given(hits: list[Passage], most: int = 3, tokens: int = 100) -> list[str]:
    found = pack(hits, most=most, tokens=tokens, count_tokens=lambda text: len(text.split()))
    return [each.text for each in found]


def test_the_best_that_fit_are_given_best_first() -> None:
    hits = [passage(1, 40), passage(2, 70), passage(3, 40)]
    assert given(hits) == [hits[0].text, hits[2].text]


def test_the_best_one_is_given_even_if_it_does_not_fit() -> None:
    hits = [passage(1, 400), passage(2, 5)]
    assert given(hits) == [hits[0].text]


def test_no_more_are_given_than_wished() -> None:
    assert len(given([passage(n, 2) for n in range(6)], most=2)) == 2


def test_what_room_is_left_goes_to_the_rest_of_a_section_that_was_cut() -> None:
    first, rest = (passage(n, 20, heading="Leave", place=n) for n in (1, 2))
    other = passage(9, 20)
    assert given([first, other, rest], most=2) == [f"{first.text}\n\n{rest.text}", other.text]
    assert given([first, other, rest], most=2, tokens=60) == [first.text, other.text]


def test_nothing_is_made_of_nothing() -> None:
    assert given([]) == []
