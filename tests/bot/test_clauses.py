from __future__ import annotations

import pytest

from bot.clauses import supported_part


def part(sentence: str, unsupported: str, friendly: str = "\0") -> str:
    return supported_part(
        sentence,
        lambda clause: 0.1 if unsupported in clause else 0.9,
        lambda clause: friendly in clause,
    )


def test_an_invented_consequence_is_left_out_and_the_citation_stays() -> None:
    said = "Machine 12 is for training only, so you keep off it at night [1]. "
    assert part(said, "at night") == "Machine 12 is for training only [1]. "


def test_what_follows_an_unsupported_clause_is_left_out_with_it() -> None:
    said = "Zips are free, because Piotr likes them, and he works on Mondays [2]."
    assert part(said, "Piotr likes") == "Zips are free [2]."


def test_a_sentence_whose_clauses_are_all_supported_stays_as_it_is() -> None:
    said = "Your budget is NOK 12,000 [1], and you decide up to NOK 3,000 on your own [1]."
    assert part(said, "nothing of this") == said
    assert part("Ask Hedda Lien [1].", "Hedda") == "Ask Hedda Lien [1]."


def test_friendly_words_may_follow_but_no_leave_that_nobody_gave() -> None:
    friendly = "Barn kan være med, så bli med og ha det gøy [1]."
    assert part(friendly, "gøy", friendly="gøy") == friendly
    assert part("We stay down, so you can go [1].", "go", friendly="go") == "We stay down [1]."


@pytest.mark.parametrize("mark", ["; ", " – ", ", which ", ", men "])
def test_a_clause_begins_behind_a_mark_or_a_conjunction(mark: str) -> None:
    assert part(f"The shop is open{mark}the moon is green [1].", "moon") == "The shop is open [1]."
