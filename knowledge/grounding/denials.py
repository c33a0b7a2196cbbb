"""What is denied, word by word, and words that exclude each other: statement against sentence."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.grounding.closed_words import OPPOSITES
from knowledge.grounding.facts import Token
from knowledge.grounding.findings import Finding
from knowledge.grounding.likeness import is_denial_of


def compare_denials(
    tokens: Sequence[Token],
    sentence: Sequence[Token],
    findings: list[Finding],
) -> dict[str, float]:
    """Compare what is denied, word by word, where both texts speak of the same."""
    mine, theirs = _denied(tokens), _denied(sentence)
    my_words = {token.stem for token in tokens if token.is_content}
    their_words = {token.stem for token in sentence if token.is_content}
    added = sum(
        1.0 for scope in mine if scope & their_words and not any(scope & other for other in theirs)
    )
    removed = sum(
        1.0 for scope in theirs if scope & my_words and not any(scope & other for other in mine)
    )
    if added:
        word = next(token.text for token in tokens if token.is_denial)
        findings.append(Finding("denial added", word))
    if removed:
        word = next(token.text for token in sentence if token.is_denial)
        findings.append(Finding("denial removed", word))
    return {
        "denials added": added,
        "denials removed": removed,
        "denials odd": float((len(mine) - len(theirs)) % 2),
        "denials": float(min(len(mine), 3)),
    }


def _denied(tokens: Sequence[Token]) -> list[frozenset[str]]:
    """The content words that each denial is about: those beside it, in its clause."""
    scopes = []
    for place, token in enumerate(tokens):
        if not token.is_denial:
            continue
        after = [
            other.stem
            for other in tokens[place + 1 : place + 8]
            if other.is_content and other.clause == token.clause
        ][:3]
        before = [
            other.stem
            for other in tokens[max(0, place - 4) : place]
            if other.is_content and other.clause == token.clause
        ][-1:]
        scopes.append(frozenset(after + before))
    return scopes


def compare_opposites(
    tokens: Sequence[Token],
    sentence: Sequence[Token],
    findings: list[Finding],
) -> dict[str, float]:
    """Count words whose opposite stands in the sentence while they do not."""
    there = {token.folded for token in sentence}
    stems_there = {token.stem for token in sentence}
    here = {token.folded for token in tokens}
    found = beside = 0
    for place, token in enumerate(tokens):
        if token.folded in there or token.stem in stems_there:
            continue
        opposites = OPPOSITES.get(token.folded, frozenset()) & there - here
        prefixed = {
            other for other in stems_there if token.is_content and is_denial_of(token.stem, other)
        }
        if not opposites and not prefixed:
            continue
        found += 1
        findings.append(Finding("opposite", token.text))
        neighbours = _beside(tokens, place)
        beside += any(
            (other.folded in opposites or other.stem in prefixed)
            and not neighbours.isdisjoint(_beside(sentence, spot))
            for spot, other in enumerate(sentence)
        )
    return {"opposites": float(min(found, 3)), "opposites beside": float(min(beside, 3))}


def _beside(tokens: Sequence[Token], place: int) -> frozenset[str]:
    return frozenset(
        token.stem for token in (*tokens[max(0, place - 2) : place], *tokens[place + 1 : place + 3])
    )
