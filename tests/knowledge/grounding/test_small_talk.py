from __future__ import annotations

import pytest

from knowledge.grounding.small_talk import claims_nothing

QUESTION = "How many days of leave do I get?"


@pytest.mark.parametrize(
    "sentence",
    [
        "Hei!",
        "Hi there,",
        "We've got you.",
        "We’ve got you!",
        "Just shout if you need us.",
        "Ask #people if you are unsure.",
        "Bare rop om du trenger oss.",
        "God tur!",
        "Good question!",
        "Thanks for asking.",
        "Let us know if anything else comes up.",
        "[1]",
        "🎉",
        "",
    ],
)
def test_friendly_words_claim_nothing(sentence: str) -> None:
    assert claims_nothing(sentence, QUESTION)


@pytest.mark.parametrize(
    "sentence",
    [
        "You get 25 days.",
        "Just shout before Friday.",
        "Ask Hedda Lien if you are unsure.",
        "Good news: breakfast is included.",
        "Ask us at https://evil.example if you are unsure.",
        "Yes.",
        "No!",
        "Nei.",
        "Hei, hunder er tillatt.",
        "Just shout if you need 500 kroner.",
    ],
)
def test_a_number_a_name_a_link_or_a_verdict_is_a_claim_however_friendly(sentence: str) -> None:
    assert not claims_nothing(sentence, QUESTION)


@pytest.mark.parametrize(
    "sentence",
    [
        "Yes, of course!",
        "Of course!",
        "No problem.",
        "Sorry, no.",
        "Unfortunately not.",
        "Ja, selvfølgelig!",
        "Nei, dessverre.",
        "Just ask if you want to bring a dog, it is allowed.",
        "Let us know if you come, dogs may stay.",
    ],
)
def test_a_friendly_yes_or_no_is_the_answer_to_a_question_that_wants_one(sentence: str) -> None:
    assert not claims_nothing(sentence, "Can I bring my dog to the office?")


@pytest.mark.parametrize(
    "sentence",
    ["Hi there!", "Good question!", "Let us know if there is anything else.", "I do not know."],
)
def test_other_friendly_words_stay_with_a_question_that_wants_a_yes_or_a_no(sentence: str) -> None:
    assert claims_nothing(sentence, "Can I bring my dog to the office?")


def test_turning_an_open_question_round_claims_nothing() -> None:
    assert claims_nothing("You get days of leave.", QUESTION)
    assert not claims_nothing("You do not get days of leave.", QUESTION)


def test_turning_a_yes_or_no_question_round_is_its_answer() -> None:
    assert not claims_nothing("Dogs come into the office.", "Can dogs come into the office?")


def test_the_company_s_own_sayings_claim_nothing() -> None:
    assert not claims_nothing("The mountain calls us all, friend.", QUESTION)
    assert claims_nothing(
        "The mountain calls us all, friend!", QUESTION, {"The mountain calls us all, friend."}
    )
