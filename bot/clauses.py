"""The clauses of a sentence that may be shown: a true beginning vouches for no invented end.

"Machine 12 is for training only, so you may not use it for your own needs" is supported as a whole,
because most of its words are; what comes behind "so" stands nowhere.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

#: Where a further clause begins.
_NEXT = re.compile(
    r",\s+(?=(?:so|and|but|which|because|while|as|who|then|though|og|så|men|fordi|for|som|mens)\b)"
    r"|;\s+|\s+[–—]\s+|\s+(?=(?:so that|because|fordi|slik at)\b)",
    re.IGNORECASE,
)

#: A clause that the passages support less than this is left out. It is lower than what a sentence
#: must reach: alone, a clause has few words to be recognised by. Of the experts' own answers of the
#: sample company, whose later clauses are often friendly words that no page holds, a quarter lose
#: one by it; none loses a fact.
LEAST = 0.4

#: To allow or to forbid something is a claim in whatever friendly words.
_ALLOWS = re.compile(
    r"^(?:so|and|så|og)\s+(?:you|du|dere|we|vi)\s+"
    r"(?:can|may|must|need|should|cannot|kan|må|bør|skal|slipper)\b",
    re.IGNORECASE,
)

_CITED = re.compile(r"\s*\[\d+\]")


def clauses_of(sentence: str) -> list[str]:
    """Return the clauses of a sentence, in order; joined they are the sentence."""
    return [sentence[start:end] for start, end in itertools.pairwise([0, *_ends(sentence)])]


def supported_part(
    sentence: str, support: Callable[[str], float], claims_nothing: Callable[[str], bool]
) -> str:
    """Return a sentence that is supported as a whole, up to the first later clause that is not.

    Args:
        sentence: One sentence, with its citations; they stay, whatever is left out.
        support: Returns the probability that the passages support a text.
        claims_nothing: Whether a text needs no support.
    """
    for place, end in itertools.pairwise(_ends(sentence)):
        clause = _CITED.sub("", sentence[place:end]).strip(" ,;–—\t\n")
        if not clause or (claims_nothing(clause) and not _ALLOWS.match(clause)):
            continue
        if support(clause) < LEAST:
            kept = sentence[:place].rstrip(" ,;")
            cited = "".join(_CITED.findall(sentence[place:]))
            rest = sentence[len(sentence.rstrip()) :]
            return f"{kept}{cited}.{rest}"
    return sentence


def _ends(sentence: str) -> list[int]:
    """Return where each clause ends; the next one begins there."""
    return [*(match.start() for match in _NEXT.finditer(sentence)), len(sentence)]
