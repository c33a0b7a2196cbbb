"""Counting the sentences of an answer that claim something, and those that nothing supports."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.grounding import SentenceStream
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground
from knowledge.grounding.small_talk import claims_nothing


class SentenceSupport:
    """Looks at answers as they were shown, with the check at its default threshold."""

    def __init__(self, check: GroundingCheck, sayings: Collection[str] = ()) -> None:
        """Take the check, and the company's own phrases, which need no support."""
        self._check = check
        self._sayings = sayings

    def count(self, answer: str, passages: Sequence[Ground], question: str) -> tuple[int, int]:
        """Return how many sentences claim something, and how many of them are unsupported."""
        stream = SentenceStream()
        claims = [
            sentence
            for sentence in (*stream.feed(answer), *stream.flush())
            if not claims_nothing(sentence, question, self._sayings)
        ]
        if not claims or not passages:
            return len(claims), len(claims)
        read = self._check.read(passages, question)
        return len(claims), sum(not read.support(claim).is_supported for claim in claims)
