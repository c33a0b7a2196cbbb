"""A pair as the model will see it: the question with passages, the answer with its citation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.pairs import Pair
from training.prompt import (
    ChatMessage,
    Persona,
    PromptPassage,
    render_general,
    render_question,
    with_citation,
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

#: Tokens that a chat template adds to a message, generously.
_TOKENS_A_TURN = 8


@dataclass(frozen=True)
class Row:
    """One example: a question, the answer to it, and what is needed to judge another answer."""

    kind: Literal["pair", "replay"]
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


def pair_row(
    pair: Pair,
    *,
    split: Split,
    persona: Persona,
    recipe: Recipe,
    retrieve: Retrieve,
    find_section: FindSection,
    count_tokens: CountTokens,
    unknown_answer: str | None = None,
) -> Row:
    """Render a pair as it would be asked and answered.

    If retrieval misses the section that the pair rests on, the section takes the place of the
    last passage and is moved to a place drawn by the seed: the model must learn from what is
    right, and learn to look for it. Training rows are shuffled if the recipe says so; held-out
    rows keep retrieval's order, because that is how they are asked. What does not fit into
    `recipe.max_tokens` loses passages from the end, never the right one.

    Args:
        unknown_answer: What to say when the right passage is taken away from a training row,
            which happens to the recipe's `unanswerable_share`.
    """
    draw = random.Random(f"{recipe.seed}:{pair.input}")  # noqa: S311 - a repeatable draw, no secret
    passages = list(retrieve(pair.input))
    sections = [find_section(source.uri, source.heading) for source in pair.sources]
    known = [section for section in sections if section is not None]
    right = _find(pair, passages, known)
    was_retrieved = right is not None
    if right is None and known:
        right = _most_alike(pair, known)
        passages = passages[: max(len(passages) - 1, 0)]
        passages.insert(draw.randint(0, len(passages)), right)
    if split == "train" and recipe.shuffle_passages:
        draw.shuffle(passages)
    answer = pair.output
    if (
        split == "train"
        and unknown_answer is not None
        and right is not None
        and draw.random() < recipe.unanswerable_share
    ):
        passages = [passage for passage in passages if passage is not right]
        right, answer = None, unknown_answer

    def render() -> tuple[ChatMessage, ...]:
        shown = [PromptPassage(p.title, p.heading, p.text) for p in passages]
        return render_question(pair.input, shown, persona)

    while passages and _length(render(), answer, count_tokens) > recipe.max_tokens:
        spare = [n for n, passage in enumerate(passages) if passage is not right]
        if not spare:
            break
        del passages[spare[-1]]
    source = None
    if right is not None:
        source = next(n for n, passage in enumerate(passages, start=1) if passage is right)
        answer = with_citation(answer, source, right.text)
    return Row(
        kind="pair",
        split=split,
        messages=render(),
        answer=answer,
        question=pair.input,
        pair_id=pair.id,
        group_key=pair.group_key,
        language=pair.language,
        source=source,
        was_retrieved=was_retrieved,
    )


def replay_row(prompt: str, answer: str) -> Row:
    """Render a general prompt with the answer that the base model gives itself."""
    return Row(
        kind="replay",
        split="train",
        messages=render_general(prompt),
        answer=answer,
        question=prompt,
    )


def is_too_long(row: Row, recipe: Recipe, count_tokens: CountTokens) -> bool:
    """Whether a row has more tokens than the recipe allows."""
    return row_tokens(row, count_tokens) > recipe.max_tokens


def row_tokens(row: Row, count_tokens: CountTokens) -> int:
    """Return about how many tokens a row has, question and answer and the chat's marks."""
    return _length(row.messages, row.answer, count_tokens)


def _length(messages: Sequence[ChatMessage], answer: str, count_tokens: CountTokens) -> int:
    texts = [*(message.content for message in messages), answer]
    return sum(count_tokens(text) + _TOKENS_A_TURN for text in texts)


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
