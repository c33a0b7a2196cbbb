"""Counting the sentences of an answer that claim something, and those that nothing supports."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.answering import ReadsPassages
from bot.grounding import SentenceStream
from knowledge.grounding.reading import Ground
from knowledge.grounding.small_talk import claims_nothing

#: Quoted words with what leads up to them ("the page says: …") and their citations.
_QUOTED = re.compile(r"(?:[^.!?“”«»\]]*:\s*)?[“«]([^”»]+)[”»](?:\s*\[\d+\])*\.?")


@dataclass(frozen=True)
class SupportCount:
    """How many sentences claim something, and how many of those each of two checks rejects."""

    sentences: int
    unsupported: int
    doubted: int


class SentenceSupport:
    """Looks at answers as they were shown.

    What the product's own check let through, it lets through again; so what it finds unsupported
    is the least there can be. A second check that was fitted on other features doubts more, some
    of it wrongly. What is false lies between the two, for as far as programs can tell.
    """

    def __init__(
        self, check: ReadsPassages, second: ReadsPassages, sayings: Collection[str] = ()
    ) -> None:
        """Take the checks, and the company's own phrases, which need no support."""
        self._check = check
        self._second = second
        self._sayings = sayings

    def count(self, answer: str, passages: Sequence[Ground], question: str) -> SupportCount:
        """Count in one answer. Words quoted from a passage as they stand there are supported."""
        known = " ".join(" ".join(passage.text.split()) for passage in passages)
        quoted = 0

        def without(found: re.Match[str]) -> str:
            nonlocal quoted
            words = " ".join(found.group(1).split()).rstrip("… ")
            if not words or words not in known:
                return found.group()
            quoted += 1
            return " "

        rest = _QUOTED.sub(without, answer)
        stream = SentenceStream()
        claims = [
            sentence
            for sentence in (*stream.feed(rest), *stream.flush())
            if not claims_nothing(sentence, question, self._sayings)
        ]
        if not claims or not passages:
            return SupportCount(quoted + len(claims), len(claims), len(claims))
        rejected = [
            sum(not read.support(claim).is_supported for claim in claims)
            for read in (each.read(passages, question) for each in (self._check, self._second))
        ]
        return SupportCount(quoted + len(claims), *rejected)
