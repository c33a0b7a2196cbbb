"""A pair as the model will see it: the question with passages, the answer with its citation."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from storage.pairs import Pair
from training.evaluation.metrics import normalised_tokens, numbers
from training.prompt import (
    ChatMessage,
    Persona,
    PromptPassage,
    render_general,
    render_question,
    with_citation,
    without_citations,
)
from training.recipe import Recipe


@dataclass(frozen=True)
class RetrievedPassage:
    """A passage that retrieval found, with the address of the section it is from."""

    uri: str
    title: str
    heading: str
    text: str


#: Finds the passages for a question that everyone may see, best first, as answering would.
Retrieve = Callable[[str], Sequence[RetrievedPassage]]
#: Returns the passage that holds a section (document address, heading); None if it is gone.
FindSection = Callable[[str, str], RetrievedPassage | None]
#: Counts the tokens of a text.
CountTokens = Callable[[str], int]

Split = Literal["train", "held_out"]

#: `pair`: a pair as it would be asked. `unanswerable`: its question without the passages that
#: answer it. `bare`: without any passage. `replay`: a general prompt.
Kind = Literal["pair", "unanswerable", "bare", "replay"]

#: A passage with more than this share of an answer's words may hold the answer.
_MOST_SHARED = 0.5

#: Words of up to this many letters tell little.
_SHORT = 3

#: Tokens that a chat template adds to a message, generously.
_TOKENS_A_TURN = 8


@dataclass(frozen=True)
class Row:
    """One example: a question, the answer to it, and what is needed to judge another answer."""

    kind: Kind
    split: Split
    messages: tuple[ChatMessage, ...]
    answer: str
    question: str
    pair_id: int | None = None
    group_key: str | None = None
    language: str = "en"
    #: Number of the right passage in the question; None when it is not there.
    source: int | None = None
    #: Whether retrieval found the right passage itself.
    was_retrieved: bool = False


@dataclass(frozen=True)
class RowMaker:
    """Renders pairs as they would be asked and answered.

    Attributes:
        persona: Who speaks.
        recipe: How rows are made.
        retrieve: Finds the passages for a question, as answering does.
        find_section: Returns a section by address, for what retrieval missed.
        count_tokens: Counts the tokens of a text.
        unknowing_answers: "I don't know" by language, for questions without the right passage;
            without them no such rows are made.
    """

    persona: Persona
    recipe: Recipe
    retrieve: Retrieve
    find_section: FindSection
    count_tokens: CountTokens
    unknowing_answers: Mapping[str, str] = field(default_factory=dict)

    def rows(self, pairs: Sequence[Pair]) -> list[Row]:
        """Render pairs, in the order of their ids, without those that are too long."""
        made = (
            self.pair(pair, "held_out" if pair.is_held_out else "train")
            for pair in sorted(pairs, key=lambda pair: pair.id)
        )
        return [row for row in made if not self.is_too_long(row)]

    def pair(self, pair: Pair, split: Split) -> Row:
        """Render a pair with the passages that retrieval gives.

        A training row whose section retrieval misses gets it in place of the last passage, at a
        place drawn by the seed: the model must learn from what is right, and learn to look for
        it. Its passages are shuffled if the recipe says so. A held-out row is left as it would be
        asked: in retrieval's order, and without the right passage if that is not found. What does
        not fit into `recipe.max_tokens` loses passages from the end, never the right one.
        """
        draw = random.Random(f"{self.recipe.seed}:{pair.input}")  # noqa: S311 - repeatable
        passages, known = self._found(pair)
        right = _find(pair, passages, known)
        was_retrieved = right is not None
        if split == "train":
            if right is None and known:
                right = _most_alike(pair, known)
                passages = passages[: max(len(passages) - 1, 0)]
                passages.insert(draw.randint(0, len(passages)), right)
            if self.recipe.shuffle_passages:
                draw.shuffle(passages)
        messages, shown = self._fitted(pair, passages, pair.output, right)
        source, answer = None, pair.output
        if right is not None:
            source = next(n for n, passage in enumerate(shown, start=1) if passage is right)
            answer = with_citation(answer, source, right.text)
        row = _row_of(pair, "pair", split, messages, answer)
        return replace(row, source=source, was_retrieved=was_retrieved)

    def unanswerable(self, pair: Pair, split: Split) -> Row | None:
        """Render a pair's question without the passages that answer it: nobody can know then.

        None if nothing else was found (an empty list of sources says too much), or nobody has
        said how not knowing is put.
        """
        unknowing = self.unknowing_answers
        answer = unknowing.get("no" if pair.language == "no" else "en")
        passages, known = self._found(pair)
        texts = {section.text for section in known}
        right = _find(pair, passages, known)
        others = [
            passage
            for passage in passages
            if passage is not right
            and passage.text not in texts
            and not _may_hold_the_answer(pair, passage)
        ]
        if answer is None or not others:
            return None
        messages, _ = self._fitted(pair, others, answer, None)
        return _row_of(pair, "unanswerable", split, messages, answer)

    def bare(self, pair: Pair) -> Row:
        """Render a training pair without any passage, so that the voice does not hang on them."""
        answer = without_citations(pair.output)
        messages, _ = self._fitted(pair, [], answer, None)
        return _row_of(pair, "bare", "train", messages, answer)

    def is_too_long(self, row: Row) -> bool:
        """Whether a row has more tokens than the recipe allows."""
        return row_tokens(row, self.count_tokens) > self.recipe.max_tokens

    def looking_up_once(self) -> RowMaker:
        """Return what makes the same rows and looks each question up once, however many it has."""
        known: dict[str, Sequence[RetrievedPassage]] = {}

        def looked_up(question: str) -> Sequence[RetrievedPassage]:
            if question not in known:
                known[question] = self.retrieve(question)
            return known[question]

        return replace(self, retrieve=looked_up)

    def _found(self, pair: Pair) -> tuple[list[RetrievedPassage], list[RetrievedPassage]]:
        """Return what retrieval finds for a pair's question, and the sections it rests on."""
        sections = [self.find_section(source.uri, source.heading) for source in pair.sources]
        known = [section for section in sections if section is not None]
        return list(self.retrieve(pair.input)), known

    def _fitted(
        self,
        pair: Pair,
        passages: Sequence[RetrievedPassage],
        answer: str,
        right: RetrievedPassage | None,
    ) -> tuple[tuple[ChatMessage, ...], list[RetrievedPassage]]:
        """Render as many of the passages as fit, and return them; the right one is kept."""
        kept = list(passages)
        while True:
            shown = [PromptPassage(p.title, p.heading, p.text) for p in kept]
            messages = render_question(pair.input, shown, self.persona)
            spare = [n for n, passage in enumerate(kept) if passage is not right]
            if not spare or _length(messages, answer, self.count_tokens) <= self.recipe.max_tokens:
                return messages, kept
            del kept[spare[-1]]


def is_drawn(pair: Pair, kind: Kind, share: float, seed: int) -> bool:
    """Whether a pair is among the share that also gets a row of this kind.

    It follows from the question, the kind and the seed alone: other pairs, and other shares of
    other kinds, change nothing.
    """
    return order_of(pair, kind, seed) < share


def order_of(pair: Pair, kind: Kind, seed: int) -> float:
    """Return a pair's place in the draw for a kind of rows, from 0 to below 1."""
    drawn = hashlib.sha256(f"{seed}/{kind}/{pair.input}".encode()).digest()
    return int.from_bytes(drawn[:8]) / 2**64


def replay_row(prompt: str, answer: str) -> Row:
    """Render a general prompt with the answer that the base model gives itself."""
    return Row(
        kind="replay",
        split="train",
        messages=render_general(prompt),
        answer=answer,
        question=prompt,
    )


def row_tokens(row: Row, count_tokens: CountTokens) -> int:
    """Return about how many tokens a row has, question and answer and the chat's marks."""
    return _length(row.messages, row.answer, count_tokens)


def _length(messages: Sequence[ChatMessage], answer: str, count_tokens: CountTokens) -> int:
    texts = [*(message.content for message in messages), answer]
    return sum(count_tokens(text) + _TOKENS_A_TURN for text in texts)


def _row_of(
    pair: Pair, kind: Kind, split: Split, messages: tuple[ChatMessage, ...], answer: str
) -> Row:
    return Row(
        kind=kind,
        split=split,
        messages=messages,
        answer=answer,
        question=pair.input,
        pair_id=pair.id,
        group_key=pair.group_key,
        language=pair.language,
    )


def _may_hold_the_answer(pair: Pair, passage: RetrievedPassage) -> bool:
    """Whether a passage may answer, too: it has the answer's numbers, or without any its words.

    Only what the question did not say counts. A passage that is taken away for nothing costs less
    than "I don't know" learned beside the answer.
    """
    told = numbers(pair.output) - numbers(pair.input)
    if told:
        return told <= numbers(passage.text)
    words = _words(pair.output) - _words(pair.input)
    return bool(words) and len(words & _words(passage.text)) > _MOST_SHARED * len(words)


def _words(text: str) -> set[str]:
    return {word for word in normalised_tokens(text) if len(word) > _SHORT}


def _find(
    pair: Pair, passages: Sequence[RetrievedPassage], sections: Sequence[RetrievedPassage]
) -> RetrievedPassage | None:
    """Return the retrieved passage that the pair rests on, if there is one.

    That is a passage under the heading of one of its sources, or the one that holds such a
    section together with its neighbours, under their common heading.
    """
    headings = {(source.uri, _section(source.heading)) for source in pair.sources}
    texts = {(section.uri, section.text) for section in sections}
    found = [
        passage
        for passage in passages
        if (passage.uri, _section(passage.heading)) in headings
        or (passage.uri, passage.text) in texts
    ]
    return _most_alike(pair, found) if found else None


def _most_alike(pair: Pair, passages: Sequence[RetrievedPassage]) -> RetrievedPassage:
    """Return the passage that shares most words with the pair's answer; of equals the first."""
    words = set(pair.output.lower().split())
    return max(passages, key=lambda passage: len(words & set(passage.text.lower().split())))


def _section(heading: str) -> str:
    """Return the last part of a breadcrumb `Page > Chapter > Section`, the section itself."""
    return heading.rpartition(" > ")[2].strip().casefold()
