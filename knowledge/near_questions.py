"""Whether two questions are the same in other words, for the groups that keep the split clean.

Some differences settle it: another number, name, weekday, measure or group of people, another
thing asked for, an opposite. What is left is weighed: how close the questions are in meaning, how
many of their words they share, and how well the rest of one finds its like in the other.

This is not `knowledge.same_question`, which decides whether a verified answer may be given: a
wrong answer is worse than none, while here what is missed leaks and what is taken for the same
costs a pair. See the tests for what it reaches.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from knowledge.grounding.closed_words import OPPOSITES
from knowledge.question_frame import Frame, read_frame

if TYPE_CHECKING:
    from knowledge.embedder import Embedder, Vectors

#: Fitted by logistic regression on tests/bot/data/same_questions_tuned.txt and the questions
#: that `knowledge.same_question` was made with.
_WEIGHTS = {
    "cosine": 9.135,
    "shared": 0.481,
    "worst": 3.563,
    "mean": 2.411,
    "other thing asked": -0.872,
    "norwegian": 0.976,
}
_BIAS = -10.699

#: From this probability on two questions are taken for the same.
_SAME = 0.45

#: How many texts or comparisons are remembered.
_REMEMBERED = 50_000

#: What is asked for in one word or the other, as people do.
_ASKED_ALIKE = frozenset(
    frozenset(alike.split())
    for alike in (
        "how where", "duration count", "duration amount", "count amount", "which who",
        "which where",
    )
)  # fmt: skip

#: A question that leaves open what it asks for does not ask for these.
_SAID_OUT_LOUD = frozenset({"when", "where", "who", "why", "duration", "frequency"})

#: Words whose opposites are no opposites in questions: "must I", "can I".
_ASKING = frozenset({"must", "can", "has", "may", "all"})

_LEADERS = frozenset({"manag", "leader", "led"})


class QuestionLikeness:
    """Compares questions by their words and by the vectors of an English embedder.

    What was compared is remembered, and forgotten by `forget`. Safe in several threads.
    """

    def __init__(self, embedder: Embedder) -> None:
        """Take the embedder; the weights were fitted with the bundled English one."""
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self._decided: dict[tuple[str, str], bool] = {}

    def prepare(self, texts: Sequence[str]) -> None:
        """Read these texts with the model now, so that comparing them needs it less."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if not fresh:
            return
        if len(self._vectors) > _REMEMBERED:
            self._vectors.clear()
        self._vectors.update(zip(fresh, self._embedder.embed_passages(fresh), strict=True))

    def compare(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Compare these questions now, the model reading all at once what it must read."""
        if len(self._decided) > _REMEMBERED:
            self._decided.clear()
        doubtful = [pair for pair in dict.fromkeys(pairs) if self._decide(*pair) is None]
        self.prepare([text for pair in doubtful for text in _read_for(*pair)])
        for question, other in doubtful:
            self.are_the_same(question, other)

    def are_the_same(self, question: str, other: str) -> bool:
        """Whether whoever can answer the one has answered the other."""
        decided = self._decide(question, other)
        if decided is None:
            decided = self._probability(question, other) > _SAME
            self._decided[question, other] = decided
        return decided

    def forget(self) -> None:
        """Forget every text: somebody's words had to go."""
        self._vectors = {}
        self._decided = {}
        frame_of.cache_clear()
        _spelled_alike.cache_clear()
        _beginnings.cache_clear()

    def _decide(self, question: str, other: str) -> bool | None:
        """Say whether two questions are the same as far as that is clear without the model."""
        known = self._decided.get((question, other))
        if known is not None:
            return known
        mine, theirs = frame_of(question), frame_of(other)
        if _are_apart(mine, theirs):
            decided = False
        elif mine.words == theirs.words and mine.asks == theirs.asks:
            decided = True
        else:
            return None
        self._decided[question, other] = decided
        return decided

    def _probability(self, question: str, other: str) -> float:
        mine, theirs = frame_of(question), frame_of(other)
        shared = len(mine.keys & theirs.keys)
        together = len(mine.keys | theirs.keys)
        matched, lone = self._align(mine, theirs)
        rest = [*matched, *(0.6 * likeness for likeness in lone)]
        figures = {
            "cosine": self._cosine(question, other),
            "shared": shared / together if together else 1.0,
            "worst": min(matched, default=1.0),
            "mean": sum(rest) / len(rest) if rest else 1.0,
            "other thing asked": float(
                bool(mine.asks and theirs.asks) and not mine.asks & theirs.asks
            ),
            "norwegian": float("no" in (mine.language, theirs.language)),
        }
        weighed = _BIAS + sum(_WEIGHTS[name] * figure for name, figure in figures.items())
        return 1 / (1 + math.exp(-weighed))

    def _align(self, mine: Frame, theirs: Frame) -> tuple[list[float], list[float]]:
        """Pair off the words that only one question has, best first; then those left alone."""
        here, there = sorted(mine.keys - theirs.keys), sorted(theirs.keys - mine.keys)
        is_norwegian = "no" in (mine.language, theirs.language)
        self.prepare([*here, *there, *(mine.keys | theirs.keys if here or there else ())])
        best = sorted(
            (
                (self._alike(word, like, is_norwegian), word, like)
                for word in here
                for like in there
            ),
            reverse=True,
        )
        used: set[tuple[int, str]] = set()
        matched = []
        for likeness, word, like in best:
            if not used & {(0, word), (1, like)}:
                used |= {(0, word), (1, like)}
                matched.append(likeness)
        alone = [w for w in here if (0, w) not in used] + [w for w in there if (1, w) not in used]
        all_words = mine.keys | theirs.keys
        lone = [
            max((self._alike(word, like, is_norwegian) for like in all_words - {word}), default=0.0)
            for word in alone
        ]
        return matched, lone

    def _alike(self, word: str, other: str, is_norwegian: bool) -> float:
        ratio = _spelled_alike(word, other)
        close = self._cosine(word, other)
        if is_norwegian:  # the English embedder finds all Norwegian words rather alike
            close = close if ratio >= 0.5 else 0.5 * close
            close = close if ratio >= 0.85 else min(close, 0.6)
        is_slip = ratio >= 0.85 and abs(len(word) - len(other)) < 2
        return max(close, ratio if is_slip else 0.0)

    def _cosine(self, text: str, other: str) -> float:
        one, two = self._vectors.get(text), self._vectors.get(other)
        if one is None or two is None:
            one, two = self._embedder.embed_passages([text, other])
            self._vectors[text], self._vectors[other] = one, two
        return float(one @ two)


def _read_for(question: str, other: str) -> set[str]:
    """What the model must read to compare two questions."""
    mine, theirs = frame_of(question).keys, frame_of(other).keys
    return {question, other} | (mine | theirs if mine != theirs else set())


@lru_cache(maxsize=20_000)
def frame_of(question: str) -> Frame:
    """Return a question taken apart; those asked lately are remembered."""
    return read_frame(question)


@lru_cache(maxsize=100_000)
def _spelled_alike(word: str, other: str) -> float:
    return difflib.SequenceMatcher(None, word, other).ratio()


def _are_apart(mine: Frame, theirs: Frame) -> bool:
    """Whether something settles that the questions are not the same; what is quick comes first."""
    not_meant = _LEADERS if "who" in mine.asks or "who" in theirs.asks else frozenset[str]()
    return (
        mine.numbers != theirs.numbers
        or mine.turns != theirs.turns
        or (mine.groups != theirs.groups and mine.groups - not_meant != theirs.groups - not_meant)
        or any(not _has_name(name, theirs) for name in mine.names)
        or any(not _has_name(name, mine) for name in theirs.names)
        or (
            bool(mine.measures - theirs.measures and theirs.measures - mine.measures)
            and "frequency" not in mine.asks
        )
        or _have_opposites(mine, theirs)
        or _ask_for_other_things(mine.asks, theirs.asks)
    )


def _has_name(name: str, other: Frame) -> bool:
    """Whether a name stands there, bent or not: Sweden, Swedish."""
    return name in other.words or (len(name) >= 4 and name[:4] in _beginnings(other.words))


@lru_cache(maxsize=20_000)
def _beginnings(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:4] for word in words if len(word) >= 4)


def _have_opposites(mine: Frame, theirs: Frame) -> bool:
    there = theirs.words - mine.words
    return bool(there) and any(
        word in OPPOSITES and not there.isdisjoint(OPPOSITES[word])
        for word in mine.words - theirs.words - _ASKING
    )


def _ask_for_other_things(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    if not mine or not theirs:
        return bool((mine | theirs) & _SAID_OUT_LOUD)
    if mine & theirs:
        return False
    return not any(frozenset({one, other}) in _ASKED_ALIKE for one in mine for other in theirs)
