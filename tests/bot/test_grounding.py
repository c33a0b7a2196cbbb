from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.grounding import (
    SentenceStream,
    has_known_links,
    has_supported_numbers,
    quotation,
    says_it_does_not_know,
    says_something,
    settle_citations,
    without_headings,
)

LEAVE = "Everyone gets 25 days of paid leave, and 12 000 NOK for a trip. Book by 15 May."


def test_a_number_that_stands_in_no_passage_is_not_supported() -> None:
    assert has_supported_numbers("You get 25 days [1].", [LEAVE], "")
    assert not has_supported_numbers("You get 52 days [1].", [LEAVE], "")


def test_a_link_that_stands_in_no_passage_is_not_known() -> None:
    page = "Send the receipt with the form at https://intranet.example.com/forms/7 (or ask us)."
    assert has_known_links("Use https://intranet.example.com/forms/7.", [page])
    assert has_known_links("Use <https://intranet.example.com/forms/7|the form>.", [page])
    assert not has_known_links("Use https://intranet.example.com/reimburse.", [page])
    assert not has_known_links("See www.example.com.", [page])
    assert has_known_links("Use the form.", [page])


def test_thousands_separators_make_no_difference() -> None:
    for written in ("12,000", "12.000", "12 000", "12000"):
        assert has_supported_numbers(f"It is {written} NOK.", [LEAVE], "")


def test_a_number_of_the_question_may_be_repeated() -> None:
    assert has_supported_numbers("For 3 people you book a room.", [LEAVE], "a room for 3?")


def test_a_citation_is_not_a_fact() -> None:
    assert has_supported_numbers("That is right [9].", [LEAVE], "")


def test_citations_that_point_nowhere_are_dropped() -> None:
    assert settle_citations("You get 25 days [4].", [LEAVE]) == "You get 25 days [1]."


def test_an_answer_without_citations_cites_the_passage_it_shares_most_with() -> None:
    passages = ["The office opens at eight.", LEAVE]
    assert settle_citations("You get paid leave.", passages) == "You get paid leave [2]."


def test_an_answer_that_shares_nothing_with_any_passage_cites_nothing() -> None:
    assert settle_citations("Bananas ripen quickly.", [LEAVE]) == "Bananas ripen quickly."


def test_an_answer_that_only_turns_the_question_round_says_nothing() -> None:
    question = "How many days of leave do I get?"
    assert not says_something("The answer to the question is: [1]", [LEAVE], question)
    assert not says_something("You get days of leave [1].", [LEAVE], question)
    assert says_something("You get 25 days of paid leave, for everyone [1].", [LEAVE], question)


def test_a_copied_heading_line_is_left_out_of_the_answer() -> None:
    headings = ["The Bergen office > Keys and doors"]
    copied = "[1] The Bergen office > Keys and doors\nThe doors open at eight [1]."
    assert without_headings(copied, headings) == "The doors open at eight [1]."
    assert without_headings("The Bergen office > Keys and doors\n", headings) == ""


def test_an_answer_that_is_nothing_but_a_heading_is_none() -> None:
    assert without_headings("Bikes and showers [1].", ["Bikes and showers"]) == ""


def test_a_sentence_that_names_a_heading_is_kept() -> None:
    sentence = "See Keys and doors on the page of the Bergen office."
    assert without_headings(sentence, ["The Bergen office > Keys and doors"]) == sentence


def test_a_quotation_is_word_for_word() -> None:
    assert quotation("how many days of leave", LEAVE) in LEAVE


def test_an_answer_that_admits_it_does_not_know_is_recognised_in_both_languages() -> None:
    assert says_it_does_not_know("Hei! We do not know that.")
    assert says_it_does_not_know("Hei! Det vet vi ikke.")
    assert not says_it_does_not_know("Hei! You get 25 days.")


@given(st.text(max_size=200), st.lists(st.integers(1, 20), max_size=12))
def test_cutting_into_sentences_loses_and_adds_nothing(text: str, sizes: list[int]) -> None:
    stream, pieces, rest = SentenceStream(), [], text
    for size in sizes:
        pieces += list(stream.feed(rest[:size]))
        rest = rest[size:]
    pieces += [*stream.feed(rest), *stream.flush()]
    assert "".join(pieces).strip() == text.strip()


def test_a_sentence_comes_as_soon_as_it_is_complete() -> None:
    stream = SentenceStream()
    assert list(stream.feed("You get 25 days [1]. ")) == []
    assert list(stream.feed("Book ")) == ["You get 25 days [1]. "]
    assert list(stream.flush()) == ["Book "]
