"""General examples for the training mix, so that tuning on a company does not cost the rest.

The answers are the base model's own: what it could do is rehearsed in its own words, which also
needs no data of anybody else's. (Self-synthesised rehearsal, Huang et al. 2024.)
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from training.evaluation.answers import AnswerBook, Generate
from training.prompt import render_general

Item = TypeVar("Item")

#: Rows that come back more often than this are said to do so wherever a plan is shown. Where it
#: begins to harm is not measured.
OFTEN = 10

_PROMPTS = Path(__file__).with_name("replay_prompts.jsonl")
_SENTENCE_END = re.compile(r"[.!?:;)\]\"'`”’](?=\s|$)")


def read_prompts(path: Path = _PROMPTS) -> tuple[str, ...]:
    """Read the general prompts; none of them is a probe."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line)["prompt"] for line in lines if line.strip())


def rows_wanted(pair_rows: int, share: float) -> int:
    """Return how many replayed rows beside those of pairs make up `share` of all."""
    return round(pair_rows * share / (1 - share))


def evenly(items: Sequence[Item], wanted: int) -> list[Item]:
    """Return `wanted` of `items` in their order, begun anew as often as it takes.

    Each comes as often as every other, or once more.
    """
    return [items[place % len(items)] for place in range(wanted)] if items else []


def told_repeats(rows: int, prompts: int) -> str:
    """Say how many general examples are rehearsed, and how often each, in a sentence.

    Args:
        rows: How many rows of a training are general examples.
        prompts: How many different ones there are.
    """
    if not rows or not prompts:
        return "No general examples are rehearsed."
    least, more = divmod(rows, prompts)
    if least == 0 or (least, more) == (1, 0):
        return f"{rows:,} general examples are rehearsed, each once."
    each = f"{least} or {least + 1} times" if more else f"{least} times"
    often = (
        " That is often: the same few answers may be learned by heart instead of keeping what "
        "the base model knows. Lower training.replay_share if general questions come out worse."
        if rows > OFTEN * prompts
        else ""
    )
    return (
        f"{rows:,} general examples are rehearsed: {prompts:,} different ones, each {each}.{often}"
    )


def make_replay(
    prompts: Sequence[str],
    wanted: int,
    *,
    book: AnswerBook,
    generate: Generate,
    max_tokens: int,
    seed: int,
    on_answered: Callable[[int], None] = lambda _count: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[tuple[str, str], ...]:
    """Return up to `wanted` prompts with the base model's answers, each prompt once.

    One that the base model has nothing to say to keeps its place with an empty answer.

    Args:
        prompts: General prompts.
        wanted: How many examples are needed.
        book: Where the base's answers are kept between runs.
        generate: The base model.
        max_tokens: How long an answer may be; one that is cut off ends with its last whole
            sentence.
        seed: Which prompts are drawn.
        on_answered: Told after each batch how many were answered.
        should_stop: Asked before each batch; `EvaluationStopped` is raised if it says so.
    """
    drawn = list(prompts)
    random.Random(seed).shuffle(drawn)  # noqa: S311 - a repeatable draw, no secret
    drawn = drawn[:wanted]
    chats = [render_general(prompt) for prompt in drawn]
    answers = book.answer(chats, max_tokens, generate, on_answered, should_stop)
    return tuple(
        (prompt, whole_sentences(answer)) for prompt, answer in zip(drawn, answers, strict=True)
    )


def whole_sentences(text: str) -> str:
    """Return `text` up to the end of its last whole sentence; all of it if it has no end."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]].strip() if ends else text.strip()
