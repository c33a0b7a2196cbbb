"""Personal data and secrets in a text: what kind, where, and the text with each masked.

What is learned can be said again to anybody who asks. So a pair in which something is found waits
until an expert has masked it, or has said why it may stand (a mailbox that everybody may know).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from training.personal_numbers import find_numbers
from training.secrets_in_text import find_secrets

Kind = Literal[
    "email address",
    "phone number",
    "identity number",
    "account number",
    "card number",
    "token or key",
]

#: What stands in the place of something masked, in English and in Norwegian.
MASKS: dict[Kind, tuple[str, str]] = {
    "email address": ("[email address]", "[e-postadresse]"),
    "phone number": ("[phone number]", "[telefonnummer]"),
    "identity number": ("[identity number]", "[fødselsnummer]"),
    "account number": ("[account number]", "[kontonummer]"),
    "card number": ("[card number]", "[kortnummer]"),
    "token or key": ("[secret]", "[hemmelighet]"),
}

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+!#$%&'*/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])"
)
#: An address written so that machines should not find it: `kari (at) firma (dot) no`.
_SPELLED_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:\(|\[|\{)\s?(?:at|alfa|krøll|@)\s?(?:\)|\]|\})\s?[\w-]{1,63}"
    r"(?:\s?(?:\.|(?:\(|\[|\{)\s?(?:dot|punktum|prikk|\.)\s?(?:\)|\]|\}))\s?[\w-]{2,63}){1,3}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """Something personal or secret: `text[start:end]` of the text that was searched."""

    kind: Kind
    start: int
    end: int
    text: str


def find_personal_data(text: str) -> tuple[Found, ...]:
    """Return everything personal or secret in a text, in its order, without overlaps.

    Letters that no reader sees, and unusual spaces and digits, hide nothing.
    """
    plain, places = _as_read(text)
    kept: list[Found] = []
    for kind, start, end in _candidates(plain):
        first, behind = places[start], places[end - 1] + 1
        if all(behind <= other.start or first >= other.end for other in kept):
            kept.append(Found(kind, first, behind, text[first:behind]))
    return tuple(sorted(kept, key=lambda found: found.start))


def masked(text: str, language: str = "en") -> str:
    """Return `text` with everything that is found replaced by what it is.

    Args:
        text: Any text.
        language: The language of the masks; anything but `no` is English.
    """
    pieces: list[str] = []
    end = 0
    for found in find_personal_data(text):
        pieces += [text[end : found.start], MASKS[found.kind][language == "no"]]
        end = found.end
    return "".join([*pieces, text[end:]])


def in_words(found: Found) -> str:
    """Return what was found, for the expert who decides: its kind, and its beginning and end."""
    seen = found.text if found.kind == "email address" else _shortened(found.text)
    return f"{found.kind} ({seen})"


def _shortened(text: str) -> str:
    """Show as much of a number or a secret as it takes to find it in the text."""
    shown = 4 if len(text) > 12 else 2
    return f"{text[:shown].strip()}…{text[-2:].strip()}"


def _candidates(text: str) -> Iterator[tuple[Kind, int, int]]:
    """Yield what is found, the surest first: of two that overlap, the first is kept."""
    secrets = find_secrets(text)
    for start, end in sorted(secrets, key=lambda span: span[0] - span[1]):
        yield "token or key", start, end
    for pattern in (_EMAIL, _SPELLED_EMAIL):
        for match in pattern.finditer(text):
            yield "email address", match.start(), match.end()
    for number in find_numbers(text):
        yield number.kind, number.start, number.end


def _as_read(text: str) -> tuple[str, list[int]]:
    """Return the text as a reader sees it, and the place in `text` of each of its characters."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        if letter.isascii():
            seen = letter
        elif unicodedata.category(letter) == "Cf":
            continue
        elif letter in "\u2010\u2011\u2012\u2013\u2212":
            seen = "-"
        else:
            folded = unicodedata.normalize("NFKC", letter)
            seen = folded if len(folded) == 1 else letter
        letters.append(seen)
        places.append(place)
    return "".join(letters), places
