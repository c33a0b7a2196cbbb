"""Finding what a person wrote wherever it was copied to, and taking it out.

A text may stand somewhere as a whole, cut off, or within something longer; escaped as JSON, too. So
what is looked for is not the text but any run of its letters that is long enough to be nobody
else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

#: A run of so many characters that the person wrote, and nobody else, is taken for theirs.
RUN = 24

#: Half a run: what texts of others are looked through by.
_PIECE = RUN // 2

#: A text shorter than `RUN` is only looked for as a whole, and not if it is shorter than this.
SHORTEST = 8

#: What stands where something was taken out.
TAKEN_OUT = "[erased]"


class Traces:
    """What a person wrote, and what the person is called, as something to look for.

    Args:
        texts: What the person wrote.
        others: What others wrote. Runs that occur there, too, are not looked for.
        names: The ids of the person: whole words that stand for nobody else.
        stands_for: What takes the place of the ids.
        behind: What makes a name somebody else's where it stands right before it.
    """

    def __init__(
        self,
        texts: Iterable[str],
        *,
        others: Iterable[str] = (),
        names: Iterable[str] = (),
        stands_for: str = TAKEN_OUT,
        behind: Iterable[str] = (),
    ) -> None:
        written = {form for text in texts for form in _forms(text)}
        self._whole = sorted(t for t in written if SHORTEST <= len(t) < RUN)
        self._long = sorted(t for t in written if len(t) >= RUN)
        self._runs = {
            text[start : start + RUN] for text in self._long for start in range(len(text) - RUN + 1)
        }
        pieces = {t[i : i + _PIECE] for t in written for i in range(len(t) - _PIECE + 1)}
        for other in others:
            # A run of theirs that stands here holds one of the pieces at a multiple of its length.
            places = range(0, len(other) - _PIECE + 1, _PIECE)
            if len(other) >= RUN and not any(other[i : i + _PIECE] in pieces for i in places):
                continue
            for form in _forms(other):
                for start in range(len(form) - RUN + 1):
                    self._runs.discard(form[start : start + RUN])
                if form in self._whole:
                    self._whole.remove(form)
        self._names = tuple(names)
        self._stands_for = stands_for
        self._word = _any_word([*self._whole])
        self._name = _any_word(self._names, behind)

    def named(self, names: Iterable[str]) -> Traces:
        """Return the same texts with other names, looked for whatever stands before them."""
        other = copy(self)
        other._names = tuple(names)
        other._name = _any_word(other._names)
        return other

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self._runs or self._whole or self._names)

    def samples(self) -> tuple[bytes, ...]:
        """Return parts of the texts by which they are found in any file, as UTF-8.

        Of a long text they are its beginning, its end, and every so many characters between;
        short ones are left out, as they may be part of anything.
        """
        wanted = {
            text[start : start + RUN]
            for text in self._long
            for start in (*range(0, len(text) - RUN, RUN), len(text) - RUN)
        }
        return tuple(sorted(run.encode() for run in wanted & self._runs))

    def holds_text(self, text: str) -> bool:
        """Whether something that the person wrote stands in `text`."""
        return self._word.search(text) is not None or next(self._spans(text), None) is not None

    def holds(self, text: str) -> bool:
        """Whether something that the person wrote, or is called, stands in `text`."""
        return self._name.search(text) is not None or self.holds_text(text)

    def without_texts(self, text: str) -> str:
        """Return `text` without what the person wrote."""
        pieces: list[str] = []
        end = 0
        for start, behind in self._spans(text):
            pieces += [text[end:start], TAKEN_OUT]
            end = behind
        return self._word.sub(TAKEN_OUT, "".join([*pieces, text[end:]]))

    def taken_out_of(self, text: str) -> str:
        """Return `text` without what the person wrote, and with another name for the person."""
        return self._name.sub(self._stands_for, self.without_texts(text))

    def taken_out_of_json(self, value: Any) -> Any:
        """Return a JSON value with each text in it, and each key, as `taken_out_of` returns it."""
        if isinstance(value, str):
            return self.taken_out_of(value)
        if isinstance(value, list):
            return [self.taken_out_of_json(each) for each in value]
        if isinstance(value, dict):
            return {
                self.taken_out_of(str(key)): self.taken_out_of_json(each)
                for key, each in value.items()
            }
        return value

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where runs of the person's texts stand, those that overlap or touch as one."""
        start, behind = -1, -1
        for place in range(len(text) - RUN + 1):
            if text[place : place + RUN] not in self._runs:
                continue
            if place > behind:
                if start >= 0:
                    yield start, behind
                start = place
            behind = place + RUN
        if start >= 0:
            yield start, behind


def _forms(text: str) -> set[str]:
    """Return a text as it may stand somewhere: as it is, and escaped as JSON in both ways."""
    bare = text.strip()
    forms = {bare, " ".join(bare.split())}
    forms |= {json.dumps(bare, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {form for form in forms if len(form) >= SHORTEST}


def _any_word(words: Iterable[str], behind: Iterable[str] = ()) -> re.Pattern[str]:
    of_others = "".join(f"(?<!{re.escape(before)})" for before in sorted(behind))
    choices = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w){of_others}(?:{choices})(?!\w)" if choices else r"(?!)")
