"""Counting, as a version is measured, the sentences that the passages do not support."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from bot.answering import ReadsPassages
from bot.sentence_support import SentenceSupport
from knowledge.grounding.reading import Ground
from training.evaluation.metrics import is_abstention
from training.rows import Row

#: Where a passage begins in a rendered question: its number, title and heading on one line.
_PASSAGE = re.compile(r"(?:^Sources:\n|\n\n)\[\d+\] ([^\n]*)\n")
_QUESTION = "\n\nQuestion: "


class RowSupport:
    """Checks answers as the product does before it shows one: the bundled check, every sentence."""

    def __init__(self, make_check: Callable[[], ReadsPassages], sayings: Collection[str]) -> None:
        """Take what makes the check when it is first needed, and phrases that need no support."""
        self._make_check = make_check
        self._sayings = tuple(sayings)

    def __call__(self, rows: Sequence[Row], answers: Sequence[str]) -> list[tuple[int, int]]:
        """Return for each answer how many sentences claim something, and how many unsupported."""
        check = self._make_check()
        support = SentenceSupport(check, check, self._sayings)
        counted = []
        for row, answer in zip(rows, answers, strict=True):
            if is_abstention(answer):
                counted.append((0, 0))
                continue
            found = support.count(answer, passages_of(row), row.question)
            counted.append((found.sentences, found.unsupported))
        return counted


def passages_of(row: Row) -> list[Ground]:
    """Return the passages that a row's question is asked with."""
    sources = row.messages[-1].content.rpartition(_QUESTION)[0]
    _, *parts = _PASSAGE.split(sources)
    return [Ground(parts[n], parts[n + 1].strip()) for n in range(0, len(parts), 2)]
