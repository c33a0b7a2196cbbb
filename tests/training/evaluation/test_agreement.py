from __future__ import annotations

from training.evaluation.agreement import agrees, sayings_of

REFERENCES = [
    "Hei! You have 60 days for unused gear. God tur!",
    "Hei! Tell your manager before 09:00. God tur!",
    "Hei! Seven per cent goes into the pension. We've got you.",
]
SAYINGS = sayings_of(REFERENCES)


def test_sentences_that_recur_in_the_experts_answers_are_sayings() -> None:
    assert sayings_of(REFERENCES) == {"hei"}
    assert sayings_of([*REFERENCES, REFERENCES[0]]) == {"hei", "god tur"}


def test_an_answer_without_the_greeting_agrees_all_the_same() -> None:
    assert agrees("You have 60 days for unused gear [1].", REFERENCES[0], SAYINGS)


def test_an_answer_with_another_number_does_not_agree() -> None:
    assert not agrees("You have 90 days for unused gear.", REFERENCES[0], SAYINGS)


def test_a_number_may_be_a_word() -> None:
    assert agrees("7 per cent goes into the pension.", REFERENCES[2], SAYINGS)
    assert not agrees("8 per cent goes into the pension.", REFERENCES[2], SAYINGS)


def test_the_voice_alone_is_no_agreement() -> None:
    assert not agrees("Hei! We've got you.", REFERENCES[2], SAYINGS)
    assert not agrees("Hei! The cabin is booked online.", "Hei! Ask Hedda for a badge.", {"hei"})


def test_yes_does_not_agree_with_no() -> None:
    reference = "No, your partner may not use your discount alone."
    assert agrees("No, your partner may not use the discount alone.", reference)
    assert not agrees("Yes, your partner may use your discount alone.", reference)


def test_nothing_said_agrees_with_nothing() -> None:
    assert not agrees("", REFERENCES[0], SAYINGS)
