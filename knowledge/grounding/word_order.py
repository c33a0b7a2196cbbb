"""How much of a statement stands in the same order in a sentence, and what replaces the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from knowledge.grounding.facts import Token, key_of


def compare_order(tokens: Sequence[Token], sentence: Sequence[Token]) -> dict[str, float]:
    """Return how much of the statement stands in the same order, and what was put in its place."""
    here = [key_of(token) for token in tokens]
    there = [key_of(token) for token in sentence]
    matcher = SequenceMatcher(None, here, there, autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    figures = {
        "share in order": sum(block.size for block in blocks) / len(here),
        "longest run": max((block.size for block in blocks), default=0) / len(here),
        "pairs of words": _shared(list(pairwise(here)), set(pairwise(there))),
        "letter trigrams": _shared(_trigrams(here), set(_trigrams(there))),
    }
    replaced = {"name": 0, "number": 0, "word": 0}
    inserted = 0
    for change, i, j, k, m in matcher.get_opcodes():
        if change in {"insert", "equal"}:
            continue
        new = [token for token in tokens[i:j] if token.is_content]
        if change == "delete":
            inserted += len(new)
            continue
        old = {token.kind for token in sentence[k:m]}
        for token in new:
            has_capital = token.text[0].isupper() and not token.opens
            if "name" in old and (token.kind == "name" or has_capital):
                replaced["name"] += 1
            elif token.kind in ("number", "date") and old & {"number", "date"}:
                replaced["number"] += 1
            elif m - k <= 3 and j - i <= 3:
                replaced["word"] += 1
    return figures | {
        "replaced names": float(replaced["name"]),
        "replaced numbers": float(replaced["number"]),
        "replaced words": float(replaced["word"]),
        "inserted words": float(inserted),
    }


def _shared(mine: Sequence[object], theirs: Collection[object]) -> float:
    return sum(each in theirs for each in mine) / len(mine) if mine else 1.0


def _trigrams(words: Sequence[str]) -> list[str]:
    text = f" {' '.join(words)} "
    return [text[place : place + 3] for place in range(len(text) - 2)]
