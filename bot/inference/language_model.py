"""What answering asks of an engine, whichever it is."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from training.prompt import ChatMessage

#: What a chat template puts round a message, in tokens; rather too many.
TOKENS_PER_MESSAGE = 8


class InferenceFailed(Exception):
    """The engine could not answer; the message says why."""


class InferenceBusy(Exception):
    """The queue is full; nothing is wrong, try again in `seconds`."""

    def __init__(self, waiting: int, seconds: float = 2.0) -> None:
        """Take how many wait already, and when to try again, in seconds."""
        super().__init__(f"{waiting} answers are waiting already.")
        self.waiting = waiting
        self.seconds = seconds


class ModelUnavailable(InferenceFailed):
    """The model is out of reach for now: its server is down, too slow, or answers nonsense.

    Nothing is wrong with the question, so passages can be quoted instead.
    """


class WaitedTooLong(InferenceFailed):
    """The answer's turn did not come in time."""

    def __init__(self, seconds: float) -> None:
        """Take for how long it waited, in seconds."""
        super().__init__(f"Its turn did not come within {seconds:.0f} seconds. Ask again later.")


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

    def start(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        asker: str | None = None,
    ) -> Generation:
        """Begin an answer, or let it wait for its turn; see `Generation.place`.

        Args:
            messages: The prompt.
            options: How it is generated.
            asker: Who asks; askers take turns, however many questions one of them has.

        Raises:
            PromptTooLong: the prompt leaves no room for the answer.
            InferenceBusy: the queue is full.
            ModelUnavailable: the model is out of reach; known before anything was asked of it.
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
        """Begin with nothing generated, and waiting."""
        self._pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._begun = threading.Event()
        self._on_cancel: Callable[[], None] = lambda: None
        self._find_place: Callable[[], int] = lambda: 0

    def __iter__(self) -> Iterator[str]:
        """Yield pieces of text as they come.

        Raises:
            ModelUnavailable: the model went out of reach; what was said before stays said.
            WaitedTooLong: its turn did not come in time.
            InferenceFailed: the engine failed.
        """
        while (piece := self._pieces.get()) is not None:
            if isinstance(piece, InferenceFailed):
                raise piece
            if isinstance(piece, Exception):
                raise InferenceFailed(str(piece)) from piece
            yield piece

    def text(self) -> str:
        """Wait for the end and return all that was not read yet. Raises as iterating does."""
        return "".join(self)

    @property
    def place(self) -> int:
        """The place in the queue: 1 is next, 0 means that it is being worked on, or has ended."""
        return 0 if self._begun.is_set() else self._find_place()

    def wait_for_turn(self, seconds: float) -> bool:
        """Wait until it is worked on (or has ended), at most `seconds`; return whether it is."""
        return self._begun.wait(seconds)

    def cancel(self) -> None:
        """Stop generating, or give up its place; what was read stays."""
        self._cancelled.set()
        self._on_cancel()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants it to stop."""
        return self._cancelled.is_set()

    def waits(self, find_place: Callable[[], int], on_cancel: Callable[[], None]) -> None:
        """Take what finds its place, and what to call when it is cancelled; for engines."""
        self._find_place = find_place
        self._on_cancel = on_cancel

    def begin(self) -> None:
        """Say that its turn has come; for engines."""
        self._begun.set()

    def add(self, piece: str) -> None:
        """Give a piece to whoever reads; for engines."""
        if piece:
            self._pieces.put(piece)

    def end(self, failure: Exception | None = None) -> None:
        """Say that nothing more will come; for engines."""
        if failure is not None:
            self._pieces.put(failure)
        self._pieces.put(None)
        self._begun.set()


#: So many answers are written at once on a GPU or a server; no engine writes more by itself.
MOST_AT_ONCE = 64

#: More than this many answers waiting or running are refused.
LONGEST_QUEUE = 256

#: For how many seconds an answer waits for its turn, at most.
LONGEST_WAIT = 300.0

#: How many answers of a measurement are asked for at once: enough to keep any engine busy.
MEASURED_AT_ONCE = 48


def answer_all(
    model: LanguageModel,
    batch: Sequence[Sequence[ChatMessage]],
    options: GenerationOptions,
    on_done: Callable[[int], None] | None = None,
) -> list[str]:
    """Answer many prompts, some ahead of the one that is waited for, in turn with colleagues.

    See `LanguageModel.generate_many`.
    """
    texts: list[str] = []
    ahead: deque[Generation] = deque()
    for messages in batch:
        if len(ahead) == MEASURED_AT_ONCE:
            texts.append(ahead.popleft().text())
            if on_done:
                on_done(len(texts))
        ahead.append(model.start(messages, options, asker="measurement"))
    while ahead:
        texts.append(ahead.popleft().text())
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
