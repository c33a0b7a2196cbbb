"""What answering asks of an engine, whichever it is."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from training.prompt import ChatMessage


class InferenceFailed(Exception):
    """The engine could not answer; the message says why."""


class InferenceBusy(Exception):
    """The queue is full; nothing is wrong, try again in `seconds`."""

    def __init__(self, waiting: int, seconds: float = 2.0) -> None:
        """Take how many wait already, and when to try again, in seconds."""
        super().__init__(f"{waiting} answers are waiting already.")
        self.seconds = seconds


class PromptTooLong(InferenceFailed):
    """The prompt does not fit into the model's context."""

    def __init__(self, tokens: int, room: int) -> None:
        """Take how long the prompt is and how much fits, in tokens."""
        super().__init__(f"The prompt has {tokens} tokens; {room} fit beside the answer.")


@dataclass(frozen=True)
class GenerationOptions:
    """How an answer is generated. Greedy: the same prompt and version give the same text."""

    max_new_tokens: int = 128


class LanguageModel(Protocol):
    """A version that can answer. Safe to use from several threads."""

    @property
    def version(self) -> str:
        """The version's name."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has."""

    def start(self, messages: Sequence[ChatMessage], options: GenerationOptions) -> Generation:
        """Begin an answer.

        Raises:
            PromptTooLong: the prompt leaves no room for the answer.
            InferenceBusy: the queue is full.
            InferenceFailed: the engine is closed or broken.
        """

    def generate_many(
        self,
        batch: Sequence[Sequence[ChatMessage]],
        options: GenerationOptions,
        on_done: Callable[[int], None] | None = None,
    ) -> list[str]:
        """Answer many prompts, as many at once as the engine likes; for measuring.

        Args:
            batch: The prompts.
            options: The same for all.
            on_done: Called with how many are done.
        """

    def close(self) -> None:
        """Finish what runs, then free the memory. Closing twice is fine."""


class Generation:
    """An answer on its way: iterate over its pieces, or wait for the whole `text`."""

    def __init__(self) -> None:
        """Begin with nothing generated."""
        self._pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def __iter__(self) -> Iterator[str]:
        """Yield pieces of text as they come. Raises `InferenceFailed` if the engine fails."""
        while (piece := self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise InferenceFailed(str(piece)) from piece
            yield piece

    def text(self) -> str:
        """Wait for the end and return all that was not read yet. Raises `InferenceFailed`."""
        return "".join(self)

    def cancel(self) -> None:
        """Stop generating; what was read stays."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants it to stop."""
        return self._cancelled.is_set()

    def add(self, piece: str) -> None:
        """Give a piece to whoever reads; for engines."""
        if piece:
            self._pieces.put(piece)

    def end(self, failure: Exception | None = None) -> None:
        """Say that nothing more will come; for engines."""
        if failure is not None:
            self._pieces.put(failure)
        self._pieces.put(None)


#: More than this many answers waiting or running are refused.
LONGEST_QUEUE = 256


def answer_all(
    model: LanguageModel,
    batch: Sequence[Sequence[ChatMessage]],
    options: GenerationOptions,
    on_done: Callable[[int], None] | None = None,
) -> list[str]:
    """Answer many prompts in waves that leave the queue room for colleagues.

    See `LanguageModel.generate_many`.
    """
    texts: list[str] = []
    wave = LONGEST_QUEUE // 4
    for start in range(0, len(batch), wave):
        started = [model.start(messages, options) for messages in batch[start : start + wave]]
        for generation in started:
            texts.append(generation.text())
            if on_done:
                on_done(len(texts))
    return texts


class TextFromTokens:
    """Turns tokens that come one by one into text, never splitting a character."""

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        """Take what turns tokens into text, special tokens left out."""
        self._decode = decode
        self._tokens: list[int] = []
        self._given = ""

    def feed(self, tokens: Sequence[int]) -> str:
        """Take further tokens; return the text that is certain now and was not given yet."""
        self._tokens += tokens
        text = self._decode(self._tokens)
        # An incomplete character decodes to the replacement character: wait for its rest.
        if text.endswith("\ufffd"):
            return ""
        return self._give(text)

    def flush(self) -> str:
        """Return what is left at the end."""
        return self._give(self._decode(self._tokens))

    def _give(self, text: str) -> str:
        piece, self._given = text[len(self._given) :], text
        return piece
