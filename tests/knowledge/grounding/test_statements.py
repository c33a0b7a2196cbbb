from __future__ import annotations

import pytest

from knowledge.grounding.reading import Ground
from knowledge.grounding.rewording import answered
from knowledge.grounding.statements import (
    Example,
    SourcePage,
    Statement,
    is_reported,
    make_statements,
)

TEXTS = {
    "en": "Everyone gets 25 days of paid holiday in a year. You must ask Hedda Lien before "
    "the trip starts. The Bergen office is not open on Sundays in July. If you work from home, "
    "the company pays for a chair and a lamp. Lunch costs 35 kroner and is served until 13:00.",
    "no": "Alle ansatte får 25 dager ferie med lønn i året. Du må spørre Hedda Lien før turen "
    "starter i juni. Kontoret i Bergen er ikke åpent om søndagen i juli. Hvis du jobber hjemme, "
    "kan du få en stol fra selskapet. Lunsjen koster 35 kroner og serveres til klokken 13:00.",
}


def pages() -> list[SourcePage]:
    return [
        SourcePage(
            f"page-{language}-{number}",
            language,
            (
                Ground(f"Page {number}", text.replace("25", str(25 + number))),
                Ground("Other", f"Nothing of use stands in part {number}. It is only a filler."),
            ),
        )
        for language, text in TEXTS.items()
        for number in range(6)
    ]


def made() -> list[Statement]:
    return list(make_statements(pages(), seed=7, per_page=5))


def test_the_same_seed_makes_the_same_statements() -> None:
    assert made() == made()
    assert made() != list(make_statements(pages(), seed=8, per_page=5))


def test_every_kind_is_made_in_both_languages() -> None:
    kinds = {(statement.language, statement.kind) for statement in made()}
    for language in ("en", "no"):
        for kind in ("copy", "rewording", "number", "name", "date", "unit", "negation", "opposite"):
            assert (language, kind) in kinds


def test_a_copy_stands_in_its_passages_and_a_false_one_does_not() -> None:
    for statement in made():
        texts = [ground.text for ground in statement.grounds]
        if statement.kind == "copy":
            assert any(statement.text in text for text in texts)
        elif not statement.is_true and statement.kind != "other passage":
            assert not any(statement.text in text for text in texts)


def test_a_statement_of_another_passage_stands_beside_none_of_its_own() -> None:
    strangers = [statement for statement in made() if statement.kind == "other passage"]
    copies = [statement for statement in strangers if statement.base == "copy"]
    assert copies
    for statement in copies:
        assert all(statement.text not in ground.text for ground in statement.grounds)


def test_rewordings_are_no_copies() -> None:
    reworded = [statement for statement in made() if statement.kind == "rewording"]
    assert all(
        statement.text not in ground.text for statement in reworded for ground in statement.grounds
    )


def test_answers_of_people_are_used_without_their_small_talk() -> None:
    page = pages()[0]
    answer = Example("How long?", "Hei! You get 25 days of paid holiday. We've got you.", 0)
    from dataclasses import replace

    found = [
        statement.text
        for statement in make_statements([replace(page, answers=(answer,))], per_page=0)
        if statement.is_true
    ]
    assert found == ["You get 25 days of paid holiday."]


@pytest.mark.parametrize(
    ("question", "answer", "statement"),
    [
        ("Når ble klubben stiftet?", "i 1912", "I 1912 ble klubben stiftet."),
        ("Hvor mange fiskere var med?", "32 000", "32 000 fiskere var med."),
        ("Hvor mange fiskere var med?", "32 000 fiskere", "32 000 fiskere var med."),
        ("Hva heter treneren?", "Gisle Olsen", "Treneren heter Gisle Olsen."),
        ("Hvem er trener for Oppsal?", "Gisle Olsen", "Gisle Olsen er trener for Oppsal."),
    ],
)
def test_a_question_and_its_answer_become_one_statement(
    question: str, answer: str, statement: str
) -> None:
    assert answered(question, answer, "no") == statement


def test_a_page_lies_on_one_side_for_ever() -> None:
    sides = [is_reported(f"page-{number}") for number in range(400)]
    assert 150 < sum(sides) < 250
    assert is_reported("page-1") == is_reported("page-1")
