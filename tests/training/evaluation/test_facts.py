from __future__ import annotations

import pytest

from training.evaluation.facts import holds_facts


@pytest.mark.parametrize(
    "answer",
    [
        "You may spend $2,000 on your desk [1].",
        "you may spend **$2000**",
        "The limit is $2 000, tax included.",
        "It is $2,000.",
    ],
)
def test_a_fact_is_found_however_it_is_written(answer: str) -> None:
    assert holds_facts(answer, [("$2,000",)])


@pytest.mark.parametrize("answer", ["$12,000", "$2,000.50", "$2,0001", "nothing", "2 [000]"])
def test_another_number_is_another_fact(answer: str) -> None:
    assert not holds_facts(answer, [("$2,000",)])


def test_a_citation_is_no_fact() -> None:
    assert not holds_facts("Ask for quotes [2].", [("2",)])


def test_every_fact_is_needed_in_one_of_its_wordings() -> None:
    facts = [("Monday",), ("9AM", "09:00")]
    assert holds_facts("Each Monday at 09:00.", facts)
    assert holds_facts("9am on monday", facts)
    assert not holds_facts("Each Monday at 10:00.", facts)
    assert not holds_facts("Each Tuesday at 09:00.", facts)


def test_a_word_inside_another_word_is_no_fact() -> None:
    assert not holds_facts("Unalias it.", [("alias",)])
    assert holds_facts("Ask for an `alias`.", [("alias",)])
