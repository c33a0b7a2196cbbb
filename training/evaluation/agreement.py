"""Whether an answer agrees with an expert's: the same numbers, the same yes or no, enough words.

The expert's greeting and sign-off are left out on both sides: they are voice, which is measured
by itself, and a right answer without them is still right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from training.evaluation.metrics import normalised_tokens, numbers, token_f1
from training.prompt import without_citations

#: The least token F1 of an answer that agrees. Of 48 answers about the sample company that were
#: read by hand, all 21 that agree by this were right, and 3 of the other 27 were right too:
#: quotations in which the answer is one sentence of two. Less would let wrong ones in.
ENOUGH_WORDS = 0.3

#: A sentence that occurs in at least this share of the experts' answers is a saying.
_SAYING_SHARE = 0.02
_SAYING_TIMES = 3

_BETWEEN = re.compile(r"(?<=[.!?])\s+")
_POLAR = {"yes": True, "ja": True, "jo": True, "no": False, "nei": False}
_NUMBER_WORDS = {
    word: str(value)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "null en to tre fire fem seks sju åtte ni ti elleve tolv",
    )
    for value, word in enumerate(words.split())
    # "One" and "en" are mostly no numbers, "to" is English too, and "ti" and "ni" are rare.
    if word not in ("one", "en", "to")
}


def sayings_of(references: Sequence[str]) -> frozenset[str]:
    """Return the sentences that recur in the experts' answers: greetings and sign-offs."""
    counts = Counter(key for text in references for key in {_key(s) for s in _sentences(text)})
    least = max(_SAYING_TIMES, _SAYING_SHARE * len(references))
    return frozenset(key for key, count in counts.items() if key and count >= least)


def agrees(answer: str, reference: str, sayings: Collection[str] = ()) -> bool:
    """Whether `answer` says what `reference` says.

    Every number of the reference is in the answer, in digits or as a word; the two do not begin
    with opposite answers (yes and no); and their token F1 is at least `ENOUGH_WORDS`.
    """
    said, wanted = without_sayings(answer, sayings), without_sayings(reference, sayings)
    if not _numbers(wanted) <= _numbers(said):
        return False
    polarities = {_polarity(text) for text in (said, wanted)} - {None}
    return len(polarities) < 2 and token_f1(said, wanted) >= ENOUGH_WORDS


def without_sayings(text: str, sayings: Collection[str]) -> str:
    """Return the sentences of `text`, citations left out, that are none of the sayings."""
    return " ".join(s for s in _sentences(text) if _key(s) not in sayings)


def _sentences(text: str) -> list[str]:
    return _BETWEEN.split(without_citations(text))


def _key(sentence: str) -> str:
    return " ".join(normalised_tokens(sentence))


def _numbers(text: str) -> frozenset[str]:
    words = (_NUMBER_WORDS.get(word) for word in normalised_tokens(text))
    return numbers(text) | {word for word in words if word is not None}


def _polarity(text: str) -> bool | None:
    first = next(iter(normalised_tokens(text)), "")
    return _POLAR.get(first)
