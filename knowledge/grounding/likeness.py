"""How alike two words are by their letters: inflections, compounds, spelling."""

from __future__ import annotations

from functools import lru_cache

#: A word that is the beginning or the end of a longer one counts this much: "holiday" in
#: "holiday pay", "ferie" in "feriedager".
IN_COMPOUND = 0.7

#: Words with a long common beginning count this much: "reimburse" and "reimbursement".
SAME_ROOT = 0.8

_SHORTEST = 4
_SHORTEST_ROOT = 5
_DENYING_PREFIXES = ("un", "in", "im", "dis", "non", "ir", "il", "u", "mis")


@lru_cache(maxsize=131_072)
def likeness(one: str, other: str) -> float:
    """Return how alike two stems are, 0 to 1. A word and its denial ("paid", "unpaid") are not."""
    if one == other:
        return 1.0
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if len(short) < _SHORTEST or short.isdigit() or long.isdigit() or is_denial_of(one, other):
        return 0.0
    if short[0] != long[0] and not long.endswith(short):
        return 0.0
    if long.startswith(short) or long.endswith(short):
        return SAME_ROOT if len(short) >= 0.7 * len(long) else IN_COMPOUND
    common = 0
    for left, right in zip(short, long, strict=False):
        if left != right:
            break
        common += 1
    return SAME_ROOT if common >= max(_SHORTEST_ROOT, 0.65 * len(long)) else 0.0


def is_denial_of(one: str, other: str) -> bool:
    """Whether one of two stems is the other with a prefix that denies it."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    return len(short) >= _SHORTEST and any(long == prefix + short for prefix in _DENYING_PREFIXES)
