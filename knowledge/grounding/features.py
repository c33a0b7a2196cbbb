"""A statement against passages, as plain figures.

The words of the statement are found again in windows of one to three sentences, headings
included; rare words count more. Then every number, date and name is asked for twice: does it
stand anywhere, and does it stand where the rest of the sentence stands, or would another number
of the passage fit that place better? Denials are compared where the same words stand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from knowledge.grounding.denials import compare_denials, compare_opposites
from knowledge.grounding.facts import Kind, Token, read_tokens
from knowledge.grounding.findings import Finding
from knowledge.grounding.places import compare_facts
from knowledge.grounding.reading import Reading
from knowledge.grounding.word_order import compare_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from knowledge.grounding.reading import Floats

#: How many sentences are compared by meaning as well.
LIKELY = 3

#: A word that the question has and the passage has not counts this much as known.
_IN_QUESTION = 0.5

_RARE_KINDS: frozenset[Kind] = frozenset({"number", "date", "name", "code"})


@dataclass(frozen=True)
class Compared:
    """What a statement looks like beside the passages.

    Attributes:
        figures: By name; see `FEATURES`.
        findings: What is doubtful, in the order of the statement.
        best: The place of the sentence that supports it best, None if there are no passages.
        window: The places of the best sentence and of those read with it.
        likely: The places of the few sentences that share most with it.
    """

    figures: dict[str, float]
    findings: tuple[Finding, ...]
    best: int | None
    window: tuple[int, ...]
    likely: tuple[int, ...] = ()


#: The features by name, with how each may move the support: 1 only up, -1 only down, 0 any way.
FEATURES: dict[str, int] = {
    "coverage of one sentence": 1,
    "coverage of two sentences": 1,
    "coverage of three sentences": 1,
    "coverage of the passage": 1,
    "coverage of all passages": 1,
    "coverage with the question": 1,
    "exact coverage of one sentence": 1,
    "heaviest word missing": -1,
    "words missing": -1,
    "words missing that the question has": 0,
    "words": 0,
    "share in order": 1,
    "longest run": 1,
    "pairs of words": 1,
    "letter trigrams": 1,
    "numbers": 0,
    "numbers nowhere": -1,
    "numbers not near": -1,
    "number rival": -1,
    "number fit": 0,
    "numbers of the question only": -1,
    "dates": 0,
    "dates nowhere": -1,
    "dates not near": -1,
    "date rival": -1,
    "names": 0,
    "names nowhere": -1,
    "names of the question only": 0,
    "names not near": -1,
    "name rival": -1,
    "codes nowhere": -1,
    "units changed": -1,
    "units nowhere": -1,
    "unit words not near": -1,
    "unit words swapped": -1,
    "denials added": -1,
    "denials removed": -1,
    "denials odd": -1,
    "denials": 0,
    "opposites": -1,
    "opposites beside": -1,
    "replaced names": -1,
    "replaced numbers": -1,
    "replaced words": -1,
    "inserted words": 0,
    "is Norwegian": 0,
}

#: Features that an embedder gives.
MEANING: dict[str, int] = {
    "cosine of the best sentence": 1,
    "cosine of the window": 1,
    "cosine with the heading": 1,
    "highest cosine": 1,
}


def compare(statement: str, reading: Reading, question: str = "") -> Compared:
    """Compare a statement with passages that were read.

    Args:
        statement: One sentence, without citations.
        reading: The passages, in the statement's language.
        question: What was asked; its words may be repeated, its numbers prove nothing.
    """
    import numpy as np

    tokens = _with_names_known(read_tokens(statement, reading.language), reading)
    asked = read_tokens(question, reading.language)
    content = [token for token in tokens if token.is_content]
    figures = dict.fromkeys(FEATURES, 0.0)
    figures["is Norwegian"] = float(reading.language == "no")
    if not reading.sentences or not content:
        return Compared(figures, (), None, ())
    weights = np.array([_weight(token, reading) for token in content])
    presence = np.stack([_presence(token, reading) for token in content])
    headed = np.maximum(
        presence, 0.9 * np.stack([reading.heading_presence(t.stem) for t in content])
    )
    windows = _windows(headed, reading.passage_of)
    shares = [weights @ window / weights.sum() for window in windows]
    # The sentence with most of the words by itself, of the window with most of them.
    best = int(np.argmax(shares[0] + 0.3 * shares[1] + 0.1 * (weights @ presence) / weights.sum()))
    window = _around(best, shares, reading)
    covered = headed[:, list(window)].max(axis=1)
    everywhere = headed.max(axis=1)
    known = {token.stem for token in asked}
    in_question = np.array([token.stem in known for token in content], dtype=float)
    missing = covered < 0.5
    by_passage = [
        float(weights @ headed[:, reading.passage_of == place].max(axis=1) / weights.sum())
        for place in set(reading.passage_of.tolist())
    ]
    figures |= {
        "coverage of one sentence": float(shares[0].max()),
        "coverage of two sentences": float(shares[1].max()),
        "coverage of three sentences": float(shares[2].max()),
        "coverage of the passage": max(by_passage),
        "coverage of all passages": float(weights @ everywhere / weights.sum()),
        "coverage with the question": float(
            weights @ np.maximum(covered, _IN_QUESTION * in_question) / weights.sum()
        ),
        "exact coverage of one sentence": float(
            (weights @ (presence == 1.0)).max() / weights.sum()
        ),
        "heaviest word missing": float((weights * missing).max() / weights.mean()),
        "words missing": float(missing.sum()),
        "words missing that the question has": float((missing * in_question).sum()),
        "words": math.log1p(len(content)),
    }
    sentence = [token for place in window for token in reading.sentences[place].tokens]
    findings: list[Finding] = []
    figures |= compare_order(tokens, sentence)
    figures |= compare_facts(tokens, reading, window, asked, findings)
    figures |= compare_denials(tokens, sentence, findings)
    figures |= compare_opposites(tokens, sentence, findings)
    likely = tuple(int(place) for place in np.argsort(-shares[0], kind="stable")[:LIKELY])
    return Compared(figures, tuple(findings), best, window, likely)


def _with_names_known(tokens: Sequence[Token], reading: Reading) -> tuple[Token, ...]:
    """A capital is a name if the passages have it as one, and none if they have the bare word."""
    known = []
    for token in tokens:
        is_name_there = "a" + token.stem in reading.values_in
        if token.kind == "word" and token.opens and token.is_content and token.text[0].isupper():
            if is_name_there:
                token = replace(token, kind="name", values=frozenset({"a" + token.stem}))  # noqa: PLW2901
        elif token.kind == "name" and not is_name_there and token.folded in reading.folded:
            token = replace(token, kind="word", values=frozenset())  # noqa: PLW2901
        known.append(token)
    return tuple(known)


def _weight(token: Token, reading: Reading) -> float:
    """Rare words count more: by how many of the sentences read have them."""
    common = len(reading.stems_in.get(token.stem, ()))
    rarity = math.log(1 + (len(reading.sentences) - common + 0.5) / (common + 0.5))
    floor = math.log(1 + len(reading.sentences))
    weight = 0.5 + min(rarity / floor, 1.0) if floor else 1.0
    return weight * (1.5 if token.kind in _RARE_KINDS else 1.0)


def _presence(token: Token, reading: Reading) -> Floats:
    import numpy as np

    if not token.values or token.kind == "name":
        return reading.presence(token.stem)
    row = np.zeros(len(reading.sentences))
    for value in token.values:
        for place, _ in reading.values_in.get(value, ()):
            row[place] = 1.0
    return row


def _windows(presence: Floats, passage_of: NDArray[np.intp]) -> list[Floats]:
    """Presence in windows of 1, 2 and 3 sentences of one passage, from each sentence on."""
    import numpy as np

    windows = [presence]
    for reach in (1, 2):
        shifted = np.zeros_like(presence)
        if presence.shape[1] > reach:
            same = (passage_of[reach:] == passage_of[:-reach]).astype(float)
            shifted[:, :-reach] = presence[:, reach:] * same
        windows.append(np.maximum(windows[-1], shifted))
    return windows


def _around(best: int, shares: list[Floats], reading: Reading) -> tuple[int, ...]:
    """The best sentence with its neighbours, if they add something."""
    window = [best]
    passage = reading.sentences[best].passage
    for other, together in ((best - 1, best - 1), (best + 1, best)):
        if (
            0 <= other < len(reading.sentences)
            and reading.sentences[other].passage == passage
            and shares[1][together] > shares[0][best] + 0.02
        ):
            window.append(other)
    return tuple(sorted(window))
