"""Passages as they are read for checking: sentence by sentence, once for each answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from knowledge.grounding.facts import Token, read_tokens
from knowledge.grounding.likeness import likeness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: A sentence of a passage with more characters than this is read in parts.
LONGEST_SENTENCE = 400

_END = re.compile(r"(?<=[.!?…])[\"'”»)\]]*\s+(?=[^a-zæøå\s])|\n+|(?<=;)\s+")
_BULLET = re.compile(r"^\s*(?:[-*•+]|\d+[.)])\s+")


@dataclass(frozen=True)
class Ground:
    """A passage that a statement may rest on: its title and heading, and its text."""

    heading: str
    text: str


class EmbedsTexts(Protocol):
    """What is needed of an embedder: vectors of length 1, one row for each text."""

    @property
    def name(self) -> str:
        """The vector space."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector for each text."""
        ...


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage; `passage` is the passage's place in the list."""

    text: str
    passage: int
    tokens: tuple[Token, ...]


class Reading:
    """Passages, read in one language.

    Attributes:
        sentences: All sentences, in order.
        headings: The words of each passage's heading.
    """

    def __init__(self, grounds: Sequence[Ground], language: str) -> None:
        """Read the passages; `language` (`en` or `no`) says how words are stemmed."""
        self.language = language
        self.grounds = tuple(grounds)
        self.headings = tuple(read_tokens(ground.heading, language) for ground in grounds)
        self.sentences = tuple(
            Sentence(text, place, tokens)
            for place, ground in enumerate(grounds)
            for text in sentences_of(ground.text)
            if (tokens := read_tokens(text, language))
        )
        self._likeness: dict[str, Floats] = {}
        self._heading_likeness: dict[str, Floats] = {}

    @cached_property
    def passage_of(self) -> NDArray[np.intp]:
        """The passage of each sentence."""
        import numpy as np

        return np.array([sentence.passage for sentence in self.sentences], dtype=np.intp)

    @cached_property
    def stems_in(self) -> dict[str, tuple[int, ...]]:
        """In which sentences each stem stands."""
        found: dict[str, list[int]] = {}
        for place, sentence in enumerate(self.sentences):
            for stem in {token.stem for token in sentence.tokens}:
                found.setdefault(stem, []).append(place)
        return {stem: tuple(places) for stem, places in found.items()}

    @cached_property
    def values_in(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Where each number, date, name or code stands: sentence and place in it."""
        found: dict[str, list[tuple[int, int]]] = {}
        for place, sentence in enumerate(self.sentences):
            for position, token in enumerate(sentence.tokens):
                for value in token.values:
                    found.setdefault(value, []).append((place, position))
        return {value: tuple(places) for value, places in found.items()}

    @cached_property
    def heading_values(self) -> frozenset[str]:
        """The numbers, dates, names and codes of the headings."""
        return frozenset(
            value for tokens in self.headings for token in tokens for value in token.values
        )

    @cached_property
    def folded(self) -> frozenset[str]:
        """Every word that stands in lower case or in any heading."""
        return frozenset(t.folded for s in self.sentences for t in s.tokens) | frozenset(
            t.folded for tokens in self.headings for t in tokens
        )

    def presence(self, stem: str) -> Floats:
        """Return how far each sentence has a stem, 0 to 1, shape `(sentences,)`."""
        if stem not in self._likeness:
            import numpy as np

            row = np.zeros(len(self.sentences))
            for other, places in self.stems_in.items():
                like = likeness(stem, other)
                if like:
                    for place in places:
                        row[place] = max(row[place], like)
            self._likeness[stem] = row
        return self._likeness[stem]

    def heading_presence(self, stem: str) -> Floats:
        """Return how far the heading of each sentence's passage has a stem."""
        if stem not in self._heading_likeness:
            import numpy as np

            by_passage = np.array(
                [
                    max((likeness(stem, token.stem) for token in tokens), default=0.0)
                    for tokens in self.headings
                ]
            )
            self._heading_likeness[stem] = by_passage[self.passage_of]
        return self._heading_likeness[stem]


def sentences_of(text: str) -> Iterator[str]:
    """Yield the sentences, lines and list items of a text."""
    for part in _END.split(text):
        rest = _BULLET.sub("", part).strip()
        while len(rest) > LONGEST_SENTENCE:
            cut = rest.rfind(" ", LONGEST_SENTENCE // 2, LONGEST_SENTENCE)
            cut = cut if cut > 0 else LONGEST_SENTENCE
            yield rest[:cut]
            rest = rest[cut:].strip()
        if rest:
            yield rest
