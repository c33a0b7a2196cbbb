"""Right, abstained or wrong: every question that was asked is exactly one of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from training.evaluation.agreement import agrees
from training.evaluation.facts import Fact, holds_facts

Verdict = Literal["right", "abstained", "wrong"]


@dataclass(frozen=True)
class EvaluationQuestion:
    """A question with what a right answer is known by.

    Attributes:
        text: What is asked.
        reference: An expert's answer, if there is one.
        facts: What a right answer holds, each in one of its wordings.
        pages: Addresses of the documents that answer it; empty if it has no answer; None if it
            has one and nobody said where.
        audience: Who asks, besides everyone.
    """

    text: str
    reference: str | None = None
    facts: tuple[Fact, ...] = ()
    pages: tuple[str, ...] | None = None
    audience: str = "everyone"

    @property
    def has_answer(self) -> bool:
        """Whether the documents answer it; if not, only "I don't know" is right."""
        return self.pages is None or bool(self.pages) or self.reference is not None

    @property
    def can_be_judged_alone(self) -> bool:
        """Whether an answer without sources can be told to be right or wrong."""
        return not self.has_answer or self.reference is not None or bool(self.facts)


@dataclass(frozen=True)
class Said:
    """What one way of answering said to one question.

    Attributes:
        text: The answer as it was shown.
        abstained: Whether it is "I don't know".
        cited: Addresses of the documents it cites; None where nothing can be cited.
        sentences: How many of its sentences claim something.
        unsupported: How many of those the passages do not support.
        doubted: How many of those a second check finds unsupported.
        seconds: How long the asker waited for the whole answer.
    """

    text: str
    abstained: bool
    cited: tuple[str, ...] | None
    sentences: int
    unsupported: int
    doubted: int
    seconds: float


def judge(question: EvaluationQuestion, said: Said, sayings: Collection[str] = ()) -> Verdict:
    """Say which of the three an answer is.

    A question without an answer in the documents is right if the answer says so, and wrong
    otherwise. Any other is abstained if it says so. What is left is right if it agrees with the
    expert's answer, where there is one, and holds the facts, where there are any; without an
    expert's answer it must also cite one of the right pages, where it can cite.
    """
    if said.abstained:
        return "abstained" if question.has_answer else "right"
    if not question.has_answer:
        return "wrong"
    if question.reference is not None and not question.facts:
        return "right" if agrees(said.text, question.reference, sayings) else "wrong"
    is_right = holds_facts(said.text, question.facts) and _rests_on_page(question, said)
    return "right" if is_right else "wrong"


def cites_right_page(question: EvaluationQuestion, said: Said) -> bool | None:
    """Whether an answer cites one of the right pages; None where that cannot be said."""
    if said.abstained or said.cited is None or not question.pages:
        return None
    return not set(said.cited).isdisjoint(question.pages)


def _rests_on_page(question: EvaluationQuestion, said: Said) -> bool:
    if question.reference is not None or said.cited is None:
        return True
    return cites_right_page(question, said) is not False
