"""Verified answers as examples: the nearest training pairs, as turns before the question."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.embedder import Embedder
from storage.pairs import Pair
from training.prompt import ChatMessage, Persona, PromptPassage, render_question, with_citation
from training.rows import FindSection


class ShownExamples:
    """Chooses pairs that everyone may see and that are not held out; others are never shown."""

    def __init__(
        self,
        approved: Sequence[Pair],
        *,
        embedder: Embedder,
        find_section: FindSection,
        persona: Persona,
        count: int,
    ) -> None:
        """Take approved pairs, and read the questions of those that may be shown.

        Args:
            approved: Approved pairs of any audience and split.
            embedder: Says which questions are near.
            find_section: Returns the passage that a pair rests on.
            persona: Who speaks.
            count: How many are shown with a question.
        """
        self._pairs = [p for p in approved if not p.is_held_out and p.audience == "everyone"]
        self._embedder = embedder
        self._find_section = find_section
        self._persona = persona
        self._count = count
        self._vectors = embedder.embed_passages([pair.input for pair in self._pairs])

    def __call__(self, question: str) -> tuple[ChatMessage, ...]:
        """Return the nearest pairs as turns, the nearest last, each with its own passage."""
        if not self._pairs:
            return ()
        nearness = self._vectors @ self._embedder.embed_query(question)
        nearest = sorted(range(len(self._pairs)), key=lambda n: float(nearness[n]))
        return tuple(turn for n in nearest[-self._count :] for turn in self._turns(self._pairs[n]))

    def _turns(self, pair: Pair) -> tuple[ChatMessage, ChatMessage]:
        sections = (self._find_section(source.uri, source.heading) for source in pair.sources)
        found = next((section for section in sections if section is not None), None)
        answer, passages = pair.output, []
        if found is not None:
            answer = with_citation(answer, 1, found.text)
            passages.append(PromptPassage(found.title, found.heading, found.text))
        asked = render_question(pair.input, passages, self._persona)[-1]
        return asked, ChatMessage("assistant", answer)
