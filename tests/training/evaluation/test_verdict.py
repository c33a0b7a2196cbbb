from __future__ import annotations

from dataclasses import replace

import pytest

from training.evaluation.verdict import EvaluationQuestion, Said, cites_right_page, judge

LEAVE = EvaluationQuestion("How much leave?", facts=(("27 days",),), pages=("leave.md",))
PAIR = EvaluationQuestion("How much leave?", reference="You get 27 days.", pages=("leave.md",))
NOWHERE = EvaluationQuestion("Where is the piano?", pages=())
SAID = Said("You get 27 days [1].", False, ("leave.md",), 1, 0, 0, 1.0)
UNKNOWN = replace(SAID, text="I don't know.", abstained=True, cited=(), sentences=0)


def test_an_answer_with_the_facts_from_the_right_page_is_right() -> None:
    assert judge(LEAVE, SAID) == "right"


def test_the_facts_from_another_page_are_wrong() -> None:
    assert judge(LEAVE, replace(SAID, cited=("pay.md",))) == "wrong"
    assert judge(LEAVE, replace(SAID, cited=())) == "wrong"


def test_the_right_page_without_the_facts_is_wrong() -> None:
    assert judge(LEAVE, replace(SAID, text="You get 25 days [1].")) == "wrong"


def test_where_only_pages_are_known_the_right_page_is_enough() -> None:
    assert judge(replace(LEAVE, facts=()), replace(SAID, text="See [1].")) == "right"


def test_a_model_asked_alone_need_not_cite() -> None:
    assert judge(LEAVE, replace(SAID, cited=None)) == "right"
    assert judge(LEAVE, replace(SAID, cited=None, text="20 days")) == "wrong"


def test_an_expert_s_answer_decides_whatever_is_cited() -> None:
    assert judge(PAIR, replace(SAID, cited=("pay.md",))) == "right"
    assert judge(PAIR, replace(SAID, text="You get 25 days.")) == "wrong"


def test_not_knowing_is_right_only_if_there_is_no_answer() -> None:
    assert judge(LEAVE, UNKNOWN) == "abstained"
    assert judge(NOWHERE, UNKNOWN) == "right"
    assert judge(NOWHERE, SAID) == "wrong"


@pytest.mark.parametrize("question", [LEAVE, PAIR, NOWHERE])
@pytest.mark.parametrize("said", [SAID, UNKNOWN, replace(SAID, text=""), replace(SAID, cited=None)])
def test_every_answer_is_one_of_the_three(question: EvaluationQuestion, said: Said) -> None:
    assert judge(question, said) in ("right", "abstained", "wrong")


def test_sources_are_judged_only_of_answers_that_can_cite() -> None:
    assert cites_right_page(LEAVE, SAID) is True
    assert cites_right_page(LEAVE, replace(SAID, cited=("pay.md",))) is False
    assert cites_right_page(LEAVE, UNKNOWN) is None
    assert cites_right_page(LEAVE, replace(SAID, cited=None)) is None
    assert cites_right_page(NOWHERE, SAID) is None


def test_a_question_known_by_its_page_alone_cannot_be_judged_without_sources() -> None:
    assert not replace(LEAVE, facts=()).can_be_judged_alone
    assert LEAVE.can_be_judged_alone
    assert PAIR.can_be_judged_alone
    assert NOWHERE.can_be_judged_alone
