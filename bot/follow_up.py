"""What a question in a thread needs of what was asked before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.retrieval import Before
from storage.pair_groups import content_words

#: A question with fewer content words than this leans on what was asked before.
FEW_WORDS = 4

#: One with fewer than this does, if it points at something that it does not name.
SOME_WORDS = 9

#: How much more a question that only goes on ("and for part-timers?") leans on its thread than one
#: that is short, or points back.
FRAGMENT_WEIGHT = 4.0

_GOES_ON = re.compile(
    r"^\W*(?:and|but|or|so|then|also|what about|how about|what if|why|why not|since when|"
    r"og|men|eller|så|enn|hva med|hva om|hvorfor|hvorfor ikke|gjelder det(?:te)?|også)\b",
    re.IGNORECASE,
)

_POINTS_BACK = re.compile(
    r"\b(?:it|its|he|she|him|his|her|they|them|their|theirs|this|that|these|those|there|one|ones|"
    r"same|such|former|latter|den|det|dette|denne|disse|de|dem|deres|dens|dets|han|hun|hans|"
    r"hennes|der|samme|slik|slike)\b",
    re.IGNORECASE,
)


_ASKS = re.compile(
    r"^\W*(?:who|whom|whose|what|when|where|which|why|how|can|could|may|must|do|does|did|is|are|am|"
    r"was|will|would|shall|should|have|has|hvem|hva|når|hvor|hvilken|hvilket|hvilke|hvorfor|"
    r"hvordan|kan|må|får|fikk|skal|bør|er|har|vil|trenger|finnes|gjelder|går|blir)\b",
    re.IGNORECASE,
)


def leans_on_thread(question: str) -> bool:
    """Whether a question can hardly be understood without what was asked before it."""
    said = len(content_words(question))
    if said < FEW_WORDS or _GOES_ON.search(question):
        return True
    return said < SOME_WORDS and _POINTS_BACK.search(question) is not None


def stands_alone(question: str) -> bool:
    """Whether a question means the same wherever it is asked: where is the stove?

    "And for part-timers?" asks for something else in every thread. A question may lean on its
    thread for the search, because it is short, and stand alone all the same.
    """
    if not leans_on_thread(question):
        return True
    is_whole = _ASKS.search(question) and len(content_words(question)) > 1
    return bool(is_whole and not (_GOES_ON.search(question) or _POINTS_BACK.search(question)))


@dataclass(frozen=True)
class Asked:
    """A question with what it needs of its thread.

    Attributes:
        question: What was asked.
        before: What was asked before, for the search; None if the question stands on its own.
        alone: The question as the model is asked it, in a form that needs no thread.
        kept: The question as a better answer to it is kept and found again: `alone`, unless it
            means the same wherever it is asked.
    """

    question: str
    before: Before | None
    alone: str
    kept: str


def in_thread(question: str, earlier: Sequence[str]) -> Asked:
    """Return a question with what it needs of its thread.

    A follow-up ("and for part-timers?") carries too little by itself, so the last question that
    stood on its own goes with it.

    Args:
        question: What is asked now.
        earlier: What was asked before in the same thread, oldest first.
    """
    if not earlier or not leans_on_thread(question):
        return Asked(question, None, question, question)
    topic = next((asked for asked in reversed(earlier) if not leans_on_thread(asked)), earlier[0])
    weight = FRAGMENT_WEIGHT if _GOES_ON.search(question) else 1.0
    alone = f"{topic} {question}"
    kept = question if stands_alone(question) else alone
    return Asked(question, Before(topic, weight), alone, kept)
