from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.pair_quality import (
    Examined,
    longest_answer,
    quality_faults,
    rudeness,
    voice_rules,
)
from training.prompt import Voice, VoiceExample
from training.rude_words import rude_words

QUESTION = "How many days of parental leave do I get?"
ANSWER = "Hei! You get 49 weeks with full pay. God tur!"

VOICE = Voice(
    always=("Hei!", "God tur!|We've got you.", "The fact comes first."),
    never=("as per",),
    examples=(
        VoiceExample("Where is the badge?", "Hei! At the front desk. God tur!"),
        VoiceExample("Who waters the plants?", "Hei! We all do. We've got you."),
    ),
)


def _faults(answer: str = ANSWER, question: str = QUESTION, **found: object) -> tuple[str, ...]:
    return quality_faults(
        question,
        answer,
        Examined(**found),  # type: ignore[arg-type]
        rules=voice_rules(VOICE, ()),
        longest=60,
    )


def test_a_good_pair_has_no_fault() -> None:
    assert _faults() == ()
    assert _faults("Hei! Du får 49 uker. God tur!", answer_language=None) == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Hei!", "too short: 1 word"),
        ("Hei! " + "very " * 80 + "long. God tur!", "too long: 84 words"),
        (f"Hei! {QUESTION} 49 weeks. God tur!", "copies the question"),
        ("Hei, parental leave days!", "nothing that the question does not say"),
        ("Hei! You get 49 weeks, as per the policy. God tur!", 'it writes "as per"'),
        ("Hei! You get 49 weeks. Bye.", 'it has none of "God tur!", "We\'ve got you."'),
        ("You get 49 weeks. God tur!", 'it does not have "Hei!"'),
    ],
)
def test_each_fault_is_said_in_words(answer: str, said: str) -> None:
    assert any(said in fault for fault in _faults(answer)), _faults(answer)


def test_what_others_found_is_said() -> None:
    (fault,) = _faults(question_language="no", answer_language="en")
    assert fault == "The question is in Norwegian and the answer in English."
    (fault,) = _faults(answer_language="other")
    assert "another language" in fault
    (fault,) = _faults(unsupported=("You get 49 weeks with full pay.",))
    assert fault == 'The passages it rests on do not say this: "You get 49 weeks with full pay."'


def test_a_question_must_be_one() -> None:
    assert "question is too short: 1 word" in _faults(question="Leave?")[0]
    assert "question is too long" in _faults(question="and then " * 100)[0]


def test_rules_that_the_company_s_own_answers_do_not_keep_are_advice() -> None:
    assert [rule.words for rule in voice_rules(VOICE, ())] == [*VOICE.always[:2], *VOICE.never]
    plain = ["You get 25 days."] * 20
    assert [rule.kind for rule in voice_rules(VOICE, plain)] == ["never"]
    assert voice_rules(Voice(always=("Hei!",)), ()) == ()


def test_the_longest_answer_follows_from_what_the_model_can_say() -> None:
    assert longest_answer(128) == 96


def test_what_no_model_should_say_is_said_of_question_and_answer() -> None:
    assert rudeness(QUESTION, ANSWER) == ()
    assert rudeness("Hvor faen er stigen?", "Hei! In the shed, you idiot.") == (
        "The question is rude: faen.",
        "The answer is rude: idiot.",
    )


@pytest.mark.parametrize(
    "text", ["Scunthorpe United", "classic assessment", "Dickens, moral", "Horetveien", "helvetica"]
)
def test_harmless_words_are_not_rude(text: str) -> None:
    assert rude_words(text) == ()


def test_the_sample_company_s_own_pairs_are_hardly_flagged() -> None:
    company = Path(__file__).parents[2] / "bot/demo/company"
    rows = [json.loads(line) for line in (company / "pairs.jsonl").read_text().splitlines()]
    rules = voice_rules(
        Voice(always=("Hei!",), never=("as per", "kindly")), [row["output"] for row in rows]
    )
    flagged = [
        row["input"]
        for row in rows
        if quality_faults(row["input"], row["output"], Examined(), rules=rules, longest=96)
    ]
    print(f"{len(flagged)} of {len(rows)} flagged: {flagged}")
    assert len(flagged) <= 0.02 * len(rows)
