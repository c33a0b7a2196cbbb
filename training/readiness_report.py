"""Is tuning worth it now? A pure function of what has gathered, with a plain recommendation.

Fine-tuning teaches a voice and a way of answering; what is true comes from the documents. So it
pays when there are enough pairs of one voice that cover what people ask, and when answering from
the documents alone does not reach far enough already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Advice = Literal["keep to retrieval", "gather more", "train"]

#: Fewer held-out pairs than this prove nothing.
HELD_OUT_NEEDED = 50

#: The share of answers that must keep the voice's rules; a model learns the mixture it is shown.
VOICE_NEEDED = 0.85

#: The share of what people ask that pairs must touch.
COVERAGE_NEEDED = 0.5

#: Where so many answers stand uncorrected, there is little for tuning to win.
RETRIEVAL_SUFFICES = 0.95

#: Fewer answers than this say nothing about how far retrieval comes.
_ENOUGH_ANSWERS = 100


@dataclass(frozen=True)
class Gathered:
    """What there is to decide by. Shares lie between 0 and 1; None where nothing is known.

    Attributes:
        goal: What the model is for, as the settings say.
        train: Pairs that may train now.
        held_out: Pairs that may measure now.
        pairs_needed: How many usable pairs the next training needs, all told.
        waiting: Pairs that wait for an expert.
        held: Approved pairs that a reason keeps from training.
        in_voice: The share of answers that keep the voice's rules.
        covered: The share of the questions asked lately that a pair touches.
        uncovered: What the other questions are about, most asked first.
        answers: How many answers were given from the documents.
        standing: The share of them that nobody voted down or corrected.
    """

    goal: str
    train: int
    held_out: int
    pairs_needed: int
    waiting: int = 0
    held: int = 0
    in_voice: float | None = None
    covered: float | None = None
    uncovered: Sequence[str] = ()
    answers: int = 0
    standing: float | None = None


@dataclass(frozen=True)
class Finding:
    """One question about readiness, whether it speaks for training, and why."""

    question: str
    is_met: bool
    answer: str


@dataclass(frozen=True)
class Plan:
    """The recommendation with what it rests on."""

    advice: Advice
    message: str
    findings: tuple[Finding, ...]


def plan(gathered: Gathered) -> Plan:
    """Say whether tuning is worth it now, and what to do if not."""
    findings = (
        _goal(gathered), _pairs(gathered), _held_out(gathered), _voice(gathered),
        _coverage(gathered),
    )  # fmt: skip
    retrieval = _retrieval(gathered)
    if not retrieval.is_met:
        advice: Advice = "keep to retrieval"
        message = (
            f"Keep to retrieval: {retrieval.answer} Tuning could win little; go on correcting, "
            "and look again when corrections become more."
        )
    elif missing := [finding for finding in findings if not finding.is_met]:
        advice = "gather more"
        message = f"Gather more before training: {_sentences(missing)}"
    else:
        advice = "train"
        message = (
            f"Train: {gathered.train:,} pairs to learn from and {gathered.held_out:,} to measure "
            "with, in one voice, about what people ask. `skredder train run` starts it."
        )
    return Plan(advice, message, (*findings, retrieval))


def _goal(gathered: Gathered) -> Finding:
    is_met = len(gathered.goal.split()) >= 4
    told = f'"{gathered.goal}"' if is_met else "Say in the settings, in a sentence, what it is for."
    return Finding("Is a goal set?", is_met, told)


def _pairs(gathered: Gathered) -> Finding:
    usable = gathered.train + gathered.held_out
    missing = gathered.pairs_needed - usable
    if missing <= 0:
        return Finding("Are there enough pairs?", True, f"{usable:,} can be used.")
    more = [
        f"{number:,} {what}"
        for number, what in (
            (gathered.waiting, "wait for an expert"),
            (gathered.held, "are held until an expert looks"),
        )
        if number
    ]
    also = f" ({' and '.join(more)})" if more else ""
    told = f"{usable:,} of {gathered.pairs_needed:,} can be used, {missing:,} are missing{also}."
    return Finding("Are there enough pairs?", False, told)


def _held_out(gathered: Gathered) -> Finding:
    told = f"{gathered.held_out:,} are kept for measuring"
    is_met = gathered.held_out >= HELD_OUT_NEEDED
    told += "." if is_met else f"; at least {HELD_OUT_NEEDED} prove something."
    return Finding("Can the result be measured?", is_met, told)


def _voice(gathered: Gathered) -> Finding:
    asked = "Is the voice consistent?"
    if gathered.in_voice is None:
        told = "The settings give no rule of the voice that could be checked."
        return Finding(asked, True, told)
    told = f"{gathered.in_voice:.0%} of the answers keep the rules of the voice"
    is_met = gathered.in_voice >= VOICE_NEEDED
    told += "." if is_met else f"; mend the others, {VOICE_NEEDED:.0%} are needed."
    return Finding(asked, is_met, told)


def _coverage(gathered: Gathered) -> Finding:
    asked = "Do the pairs cover what people ask?"
    if gathered.covered is None:
        return Finding(asked, True, "Nothing was asked yet that they could be compared with.")
    told = f"Pairs touch {gathered.covered:.0%} of what was asked lately"
    if gathered.covered >= COVERAGE_NEEDED:
        return Finding(asked, True, f"{told}.")
    about = f" Write pairs about {', '.join(gathered.uncovered)}." if gathered.uncovered else ""
    return Finding(asked, False, f"{told}; {COVERAGE_NEEDED:.0%} are needed.{about}")


def _retrieval(gathered: Gathered) -> Finding:
    asked = "Does answering from the documents alone leave something to win?"
    if gathered.standing is None or gathered.answers < _ENOUGH_ANSWERS:
        told = f"{gathered.answers:,} answers were given; {_ENOUGH_ANSWERS} tell how far it comes."
        return Finding(asked, True, told)
    told = f"{gathered.standing:.0%} of {gathered.answers:,} answers stand uncorrected."
    return Finding(asked, gathered.standing < RETRIEVAL_SUFFICES, told)


def _sentences(findings: Sequence[Finding]) -> str:
    return " ".join(finding.answer for finding in findings)
