from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grounding import (
    Dropped,
    GroundedWriter,
    Replaced,
    SentenceStream,
    Shown,
    has_known_links,
    has_supported_numbers,
    quotation,
    says_it_does_not_know,
    says_something,
    settle_citations,
    without_headings,
)
from knowledge.answer_selection import AnswerSentence
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground

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


@pytest.mark.parametrize(
    ("text", "admits"),
    [
        ("I do not know.", True),
        ("We don't know that, sorry.", True),
        ("Sorry, I cannot find it.", True),
        ("The sources do not hold the answer.", True),
        ("Det vet jeg ikke.", True),
        ("Vi vet ikke.", True),
        ("If you cannot find the form, ask people ops. [1]", False),
        ("“I do not know is a fine answer.” [1]", False),
        ("Hvis du ikke vet det, spør lederen din [1].", False),
    ],
)
def test_only_an_answer_that_speaks_of_itself_admits_that_it_does_not_know(
    text: str, admits: bool
) -> None:
    assert says_it_does_not_know(text) is admits


def test_a_sentence_cites_the_passage_that_says_it() -> None:
    passages = ["Dogs must stay at home.", "The office is open from 8:00 to 16:00."]
    check = GroundingCheck().read([Ground("", text) for text in passages])
    writer = GroundedWriter(check, passages, "When is the office open?")
    shown = writer.write("The office is open from 8:00 to 16:00 [1].")
    assert isinstance(shown, Shown)
    assert shown.text == "The office is open from 8:00 to 16:00 [2]."


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


def _ranked(*texts: str, scores: Sequence[float] = ()) -> list[AnswerSentence]:
    scores = scores or [-float(n) for n in range(len(texts))]
    return [
        AnswerSentence(text, (text,), 0, LEAVE.find(text), score)
        for text, score in zip(texts, scores, strict=True)
    ]


def test_a_quotation_is_word_for_word_and_cites_its_passage() -> None:
    sentence = LEAVE.split(". ", maxsplit=1)[0] + "."
    assert quotation(_ranked(sentence)) == f"“{sentence}” [1]"
    long = quotation(_ranked(sentence * 20), longest=100)
    assert long is not None
    assert long.endswith("…” [1]")
    assert len(long) < 110
    assert quotation([]) is None


def test_a_second_sentence_is_quoted_when_it_answers_nearly_as_well() -> None:
    both = quotation(_ranked("One.", "Two.", scores=[2.0, 1.5]))
    assert both == "“One.” [1] “Two.” [1]"
    assert quotation(_ranked("One.", "Two.", scores=[2.0, 0.5])) == "“One.” [1]"


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


HOLIDAY = (
    "Everyone gets 25 days of paid holiday a year. Dogs are not allowed in the Bergen office. "
    "Ask Hedda Lien before 15 May. Book trips at https://reisa.fjellro.example/book."
)
QUESTION = "How many days of paid holiday do I get?"


@pytest.fixture
def writer() -> GroundedWriter:
    check = GroundingCheck().read([Ground("Leave > Holiday", HOLIDAY)], QUESTION)
    return GroundedWriter(
        check, [HOLIDAY], QUESTION, sayings={"God tur!"}, headings=["Leave > Holiday"]
    )


def test_a_supported_sentence_is_shown_as_the_model_wrote_it(writer: GroundedWriter) -> None:
    sentence = "Everyone gets 25 days of paid holiday a year [1]. "
    shown = writer.write(sentence)
    assert isinstance(shown, Shown)
    assert shown.text == sentence
    assert shown.support is not None
    assert shown.support.passage == 0
    assert writer.has_enough


def test_a_sentence_with_a_wrong_number_gives_way_to_the_passage_s_own_words(
    writer: GroundedWriter,
) -> None:
    replaced = writer.write("Everyone gets 30 days of paid holiday a year [1]. ")
    assert isinstance(replaced, Replaced)
    assert replaced.text == "“Everyone gets 25 days of paid holiday a year.” [1] "
    assert any("30" in reason or "number" in reason for reason in replaced.reasons)
    assert writer.has_enough
    assert writer.rejected == 1


def test_a_turned_denial_gives_way_too(writer: GroundedWriter) -> None:
    replaced = writer.write("Dogs are allowed in the Bergen office.")
    assert isinstance(replaced, Replaced)
    assert replaced.text == "“Dogs are not allowed in the Bergen office.” [1]"


def test_nothing_is_quoted_twice(writer: GroundedWriter) -> None:
    assert isinstance(writer.write("Everyone gets 25 days of paid holiday a year."), Shown)
    assert isinstance(writer.write("Everyone gets 52 days of paid holiday a year."), Dropped)


def test_a_sentence_about_nothing_in_the_passages_is_dropped(writer: GroundedWriter) -> None:
    dropped = writer.write("Our chief executive owns two sailing boats.")
    assert isinstance(dropped, Dropped)
    assert dropped.reasons
    assert not writer.has_enough


def test_friendly_words_are_shown_but_are_no_answer(writer: GroundedWriter) -> None:
    for sentence in ("Hei! ", "God tur!", "Just shout if you need us."):
        assert writer.write(sentence) == Shown(sentence)
    assert not writer.has_enough


def test_a_copied_heading_is_dropped_without_a_reason(writer: GroundedWriter) -> None:
    assert writer.write("[1] Leave > Holiday\n") == Dropped()


def test_an_invented_link_is_never_shown_however_well_the_rest_fits(
    writer: GroundedWriter,
) -> None:
    assert isinstance(writer.write("Book trips at https://reisa.fjellro.example/book."), Shown)
    shown = writer.write("Book trips at https://reisa.fjellro.example/evil.")
    assert not isinstance(shown, Shown)


def test_a_number_in_words_is_the_same_number() -> None:
    assert has_supported_numbers("It takes 5 days.", ["It takes five days."], "")
    assert has_supported_numbers("Det tar 5 dager.", ["Det tar fem dager."], "")
    assert not has_supported_numbers("It takes 6 days.", ["It takes five days."], "")


def test_a_sentence_that_the_model_could_not_end_gives_way_to_the_passage_s_words(
    writer: GroundedWriter,
) -> None:
    decided = writer.write("The doors of the Bergen office open at")
    assert not isinstance(decided, Shown)
    assert "the sentence does not come to its end" in decided.reasons


def test_the_path_of_headings_before_a_sentence_is_taken_out() -> None:
    headings = ["Pay and pension > Holiday pay", "Holiday pay"]
    assert without_headings("Pay and pension > Hei!", headings) == "Hei!"
    assert without_headings("Pay and pension > Holiday pay > 12 %.", headings) == "12 %."
    assert without_headings("Pay and pension is a page.", headings) == "Pay and pension is a page."


ASKED = "Are dogs allowed in the Bergen office?"


@pytest.fixture
def asked_about_dogs() -> GroundedWriter:
    """A writer that knows which sentence answers: the one about dogs."""
    ranked = _ranked(
        "Dogs are not allowed in the Bergen office.",
        "Everyone gets 25 days of paid holiday a year.",
        "Ask Hedda Lien before 15 May.",
        scores=[5.0, 1.0, 0.5],
    )
    check = GroundingCheck().read([Ground("Leave > Holiday", HOLIDAY)], ASKED)
    return GroundedWriter(check, [HOLIDAY], ASKED, ranked=ranked)


def test_a_true_sentence_that_tells_something_else_gives_way_to_what_was_asked(
    asked_about_dogs: GroundedWriter,
) -> None:
    decided = asked_about_dogs.write("Everyone gets 25 days of paid holiday a year [1].")
    assert isinstance(decided, Replaced)
    assert decided.text == "“Dogs are not allowed in the Bergen office.” [1]"


def test_once_the_question_is_answered_more_may_be_told(
    asked_about_dogs: GroundedWriter,
) -> None:
    assert isinstance(asked_about_dogs.write("Dogs are not allowed in the office [1]. "), Shown)
    assert isinstance(
        asked_about_dogs.write("Everyone gets 25 days of paid holiday a year [1]."), Shown
    )


def _near_writer(*sentences: str) -> GroundedWriter:
    """A writer that keeps near to the page, whose first sentence answers the question."""
    ranked = _ranked(*sentences, scores=[5.0 - n for n in range(len(sentences))])
    page = " ".join(sentences)
    question = "Which laptop do designers get?"
    check = GroundingCheck().read([Ground("Laptops", page)], question)
    return GroundedWriter(check, [page], question, ranked=ranked, keeps_near=True)


DESIGNERS = "Designers get a 16 inch laptop with more memory, and a second screen."
OLD_ONES = "A laptop is replaced after 4 years."


def test_near_to_the_page_the_model_s_own_words_are_shown() -> None:
    decided = _near_writer(DESIGNERS, OLD_ONES).write(
        "You get a 16 inch laptop with more memory and a second screen [1]. "
    )
    assert isinstance(decided, Shown)


def test_far_from_the_page_s_words_the_page_is_quoted_though_the_check_lets_them_pass() -> None:
    said = "Designers get more memory [1]. "
    free = GroundedWriter(
        GroundingCheck().read([Ground("Laptops", DESIGNERS)], "Which laptop?"),
        [DESIGNERS],
        "Which laptop?",
    )
    assert isinstance(free.write(said), Shown)
    decided = _near_writer(DESIGNERS, OLD_ONES).write(said)
    assert isinstance(decided, Replaced)
    assert decided.text.startswith(f"“{DESIGNERS}” [1]")
    assert decided.reasons == ("it is not said nearly as the page says it",)


def test_near_to_the_page_nothing_is_told_that_answers_the_question_less_well() -> None:
    writer = _near_writer(DESIGNERS, OLD_ONES)
    first = writer.write("A laptop is replaced after 4 years [1]. ")
    assert isinstance(first, Replaced)
    assert first.text.startswith(f"“{DESIGNERS}” [1]")
    assert isinstance(writer.write("A laptop is replaced after 4 years [1]. "), Dropped)


EDINBURGH = (
    "Sundays in Edinburgh are voluntary and paid at double rate. Ask Fiona for the rota. "
    "The shops close early before holidays. On Christmas Eve they close at 15:00."
)


def shown(sentence: str, passage: str = EDINBURGH) -> Shown | Replaced | Dropped:
    check = GroundingCheck().read([Ground("Shops > Sundays", passage)], "How are Sundays paid?")
    writer = GroundedWriter(check, [f"Shops > Sundays {passage}"], "How are Sundays paid?")
    return writer.write(sentence)


def test_a_number_from_elsewhere_in_the_passage_does_not_pass_in_a_true_sentence() -> None:
    true = shown("Sundays in Edinburgh are voluntary and paid at double rate [1].")
    assert isinstance(true, Shown)
    mixed = shown("Sundays in Edinburgh are voluntary and paid at double rate at 15:00 [1].")
    assert isinstance(mixed, Replaced)
    assert mixed.text.startswith("“Sundays in Edinburgh are voluntary")
    assert "elsewhere" in mixed.reasons[0]


def test_an_invented_end_of_a_true_sentence_is_not_shown() -> None:
    said = shown(
        "Sundays in Edinburgh are voluntary and paid at double rate, "
        "because Torunn promised the climbers a warmer winter [1]."
    )
    assert isinstance(said, Shown | Replaced)
    assert "climbers" not in said.text
    assert "double rate" in said.text
