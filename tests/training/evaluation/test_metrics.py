from __future__ import annotations

import pytest

from training.evaluation.metrics import (
    chrf,
    cites_right_source,
    has_right_numbers,
    is_abstention,
    is_empty,
    numbers,
    token_f1,
    word_count,
)


def test_the_same_answer_scores_one_whatever_its_case_punctuation_and_articles() -> None:
    assert token_f1("The limit is 500 kroner!", "limit is 500 kroner") == 1.0


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # 2 of 4 words said are wanted, 2 of 3 wanted words are said.
    assert token_f1("limit 500 each month", "limit 500 yearly") == pytest.approx(
        2 * 0.5 * (2 / 3) / (0.5 + 2 / 3)
    )


def test_a_repeated_word_counts_once_for_each_time_it_is_wanted() -> None:
    assert token_f1("yes yes yes yes", "yes") == pytest.approx(2 * 0.25 / 1.25)


def test_nothing_in_common_scores_nothing_and_so_does_silence() -> None:
    assert token_f1("bananas", "limit 500") == 0.0
    assert token_f1("", "limit 500") == 0.0


def test_citations_neither_help_nor_hurt_the_f1() -> None:
    assert token_f1("The limit is 500 [2].", "The limit is 500 [1].") == 1.0


def test_norwegian_letters_are_words() -> None:
    assert token_f1("Fem dager på høsten", "fem dager på høsten") == 1.0


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("It is 4,000 kroner [1].", True),
        ("It is 4000 kroner.", True),
        ("It is 4 000 kroner.", True),
        ("It is 400 kroner.", False),
        ("It is a lot [4].", False),
        ("", False),
    ],
)
def test_every_number_of_the_reference_must_be_said(answer: str, right: bool) -> None:
    assert has_right_numbers(answer, "You get 4,000 kroner [1].") is right


def test_a_reference_without_numbers_is_not_judged_by_numbers() -> None:
    assert has_right_numbers("Ask Ingrid.", "Ingrid approves it [1].") is None


def test_times_and_dates_are_numbers() -> None:
    assert numbers("Between 9:30 and 15.00 on 1 May [3]") == {"9:30", "15.00", "1"}


def test_the_right_source_and_no_other_must_be_cited() -> None:
    assert cites_right_source("It is 5 [2].", 2)
    assert not cites_right_source("It is 5 [1].", 2)
    assert not cites_right_source("It is 5 [1] [2].", 2)
    assert not cites_right_source("It is 5.", 2)


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know that one.",
        "Hei! We do not know, ask #people.",
        "The sources do not mention it.",
        "Hei! Jeg vet ikke.",
        "I can’t find that.",
    ],
)
def test_an_abstention_is_recognised(answer: str) -> None:
    assert is_abstention(answer)


@pytest.mark.parametrize(
    "answer", ["You don't have to ask.", "It is 5 days.", "Know the limit: 5."]
)
def test_an_answer_is_no_abstention(answer: str) -> None:
    assert not is_abstention(answer)


@pytest.mark.parametrize(("answer", "empty"), [("", True), (" ...\n", True), ("5", False)])
def test_punctuation_alone_says_nothing(answer: str, empty: bool) -> None:
    assert is_empty(answer) is empty


def test_citations_are_not_counted_as_words() -> None:
    assert word_count("It is five days [1].") == 4


def test_chrf_forgives_another_ending_of_a_word_and_no_other_number() -> None:
    reference = "Hei! Bilene flyttes innen klokka 06:15. [1]"
    bent = "Hei! Bilen flytter innen klokken 06:15."
    assert token_f1(bent, reference) < 0.6
    assert chrf(bent, reference) > token_f1(bent, reference) + 0.1
    assert chrf(reference, reference) == pytest.approx(1.0)
    assert chrf("Noe helt annet.", reference) < 0.2
