"""The model's answer, sentence by sentence: what is shown of it, and what came of it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.grounding import Dropped, GroundedWriter, Replaced, SentenceStream
from bot.inference.language_model import Generation, InferenceFailed
from storage.pair_groups import question_key
from training.prompt import without_citations

#: How often a waiting answer looks up its place in the queue, in seconds.
LOOK_EVERY = 1.0

#: How long a place that was told stays told, in seconds: each time is a call of Slack's.
TELL_EVERY = 10.0


#: A greeting or a farewell has at most this many characters.
_GREETING = 40

#: Where a small model goes on with the prompt instead of ending its answer.
_PROMPT_GOES_ON = re.compile(r"\s*(?:question|sources?|answer)\s*:", re.IGNORECASE)


class Cancelled(Exception):
    """The person pressed Stop."""


@dataclass(frozen=True)
class Written:
    """What became of an answer.

    Attributes:
        text: What was shown; empty if nothing of it rests on the passages.
        greeting: How the model began, if that was a short friendly word and nothing was shown.
        farewell: How it ended, likewise.
        shown: How many sentences of the model's own were shown.
        replaced: How many gave way to the passage's own words.
        dropped: How many were left out because nothing supports them.
        failure: Why the model stopped in the midst, if it did.
        first_text: Seconds until the first words were shown; None if none were.
        waited: Seconds until the model began.
    """

    text: str
    shown: int
    replaced: int
    dropped: int
    failure: InferenceFailed | None
    first_text: float | None
    waited: float
    greeting: str = ""
    farewell: str = ""


def write_down(
    generation: Generation,
    writer: GroundedWriter,
    *,
    on_text: Callable[[str], None],
    on_place: Callable[[int], None],
    is_cancelled: Callable[[], bool],
) -> Written:
    """Show what the passages support, as it comes, and say what came of the answer.

    Args:
        generation: The model at work, or waiting for its turn.
        writer: Decides what is shown.
        on_text: Called with each piece that is shown.
        on_place: Called with the place in the queue, while it waits: at once, and then every ten
            seconds if it has changed.
        is_cancelled: Asked between pieces; when true the answer is abandoned.

    Raises:
        Cancelled: `is_cancelled` said so.
        InferenceFailed: the model failed before it said anything that could be shown.
    """
    begun = time.monotonic()
    _wait(generation, on_place, is_cancelled)
    waited = time.monotonic() - begun
    kept: list[str] = []
    waiting: list[str] = []
    counts = {"shown": 0, "replaced": 0, "dropped": 0}
    first_text: float | None = None
    said: set[str] = set()

    def take(sentence: str) -> bool:
        """Show a sentence, if it may be; return whether the model should go on."""
        nonlocal first_text
        key = question_key(without_citations(sentence))
        if kept and _PROMPT_GOES_ON.match(sentence):
            return False
        if key and key in said:  # small models go round in circles: what follows is the same again
            return False
        said.add(key)
        decided = writer.write(sentence)
        if isinstance(decided, Dropped):
            counts["dropped"] += bool(decided.reasons)
            return True
        counts["replaced" if isinstance(decided, Replaced) else "shown"] += 1
        kept.append(decided.text)
        waiting.append(decided.text)
        if writer.has_enough:  # a greeting waits for something to greet with
            first_text = first_text or time.monotonic() - begun
            on_text("".join(waiting))
            waiting.clear()
        return True

    failure = None
    try:
        _each_sentence(generation, take, is_cancelled)
    except InferenceFailed as failed:
        if not writer.has_enough:
            raise
        failure = failed
    if writer.has_enough:
        text, greeting, farewell = "".join(kept).strip(), "", ""
    else:
        text, (greeting, farewell) = "", _friendly_words(kept)
    return Written(
        text,
        **counts,
        failure=failure,
        first_text=first_text,
        waited=waited,
        greeting=greeting,
        farewell=farewell,
    )


def _friendly_words(kept: Sequence[str]) -> tuple[str, str]:
    """Return the first and the last of sentences that claim nothing, if they are short."""
    words = [sentence.strip() for sentence in kept]
    greeting = words[0] if words and len(words[0]) <= _GREETING else ""
    farewell = words[-1] if len(words) > 1 and len(words[-1]) <= _GREETING else ""
    return greeting, farewell


def _wait(
    generation: Generation, on_place: Callable[[int], None], is_cancelled: Callable[[], bool]
) -> None:
    told, told_at = 0, -math.inf
    while not generation.wait_for_turn(LOOK_EVERY):
        if is_cancelled():
            generation.cancel()
            raise Cancelled
        if time.monotonic() < told_at + TELL_EVERY:
            continue
        if (place := generation.place) and place != told:
            told, told_at = place, time.monotonic()
            on_place(place)


def _each_sentence(
    generation: Generation, take: Callable[[str], bool], is_cancelled: Callable[[], bool]
) -> None:
    stream = SentenceStream()
    try:
        for piece in generation:
            if is_cancelled():
                generation.cancel()
                raise Cancelled
            for sentence in stream.feed(piece):
                if not take(sentence):
                    generation.cancel()
                    return
    except InferenceFailed:
        for rest in stream.flush():  # a sentence that has come to its end is whole
            if rest.rstrip().endswith((".", "!", "?")):
                take(rest)
        raise
    for sentence in stream.flush():
        take(sentence)
