"""Who is worked on now and who waits: in front of every engine, whichever it is.

As many answers run at once as make the engine quickest; the rest wait in a fair queue, where they
can see their place, give it up, and are told when their turn did not come in time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.inference import language_model
from bot.inference.language_model import (
    Generation,
    GenerationOptions,
    InferenceBusy,
    InferenceFailed,
    WaitedTooLong,
)
from bot.inference.queue import FairQueue

log = logging.getLogger(__name__)

Prompt = TypeVar("Prompt")

#: A new token costs as much time as this many tokens of a prompt, 16 answers at once.
NEW_TOKEN_COST = 4


@dataclass(frozen=True, eq=False)
class Request(Generic[Prompt]):
    """An answer that was asked for."""

    prompt: Prompt
    options: GenerationOptions
    generation: Generation = field(default_factory=Generation)


class Admission(Generic[Prompt]):
    """Keeps count of what runs, and lets in what waits. Safe to use from several threads."""

    def __init__(
        self,
        at_once: int,
        version: str,
        on_change: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take how many run at once, the version's name, and what to call when something waits.

        Args:
            at_once: How many run at once, at most.
            version: Whose engine this is, for messages.
            on_change: Called when there is something new to look at; it must not block.
            clock: Seconds that do not go back.
        """
        self._at_once = at_once
        self._version = version
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: FairQueue[Request[Prompt]] = FairQueue(language_model.LONGEST_WAIT)
        self._running: set[Request[Prompt]] = set()
        self._is_closed = False

    def enter(
        self, prompt: Prompt, prompt_tokens: int, options: GenerationOptions, asker: str | None
    ) -> Generation:
        """Let a prompt wait for its turn.

        Raises:
            InferenceBusy: as many wait or run as may.
            InferenceFailed: the engine is closed.
        """
        request = Request(prompt, options)
        request.generation.waits(
            find_place=lambda: self.place(request), on_cancel=lambda: self._give_up(request)
        )
        with self._lock:
            if self._is_closed:
                raise InferenceFailed(f"The engine of {self._version} is closed.")
            there = len(self._waiting) + len(self._running)
            if there >= language_model.LONGEST_QUEUE:
                raise InferenceBusy(there)
            cost = prompt_tokens + NEW_TOKEN_COST * options.max_new_tokens
            self._waiting.put(request, cost=cost, now=self._clock(), asker=asker)
        self._on_change()
        return request.generation

    def admit(self) -> list[Request[Prompt]]:
        """Return those whose turn has come, as many as may run beside those that do already.

        Those whose turn did not come in time are ended with `WaitedTooLong`.
        """
        with self._lock:
            expired = self._waiting.take_expired(self._clock())
            admitted = []
            while len(self._running) < self._at_once:
                request = self._waiting.take()
                if request is None:
                    break
                self._running.add(request)
                admitted.append(request)
        for request in expired:
            request.generation.end(WaitedTooLong(self._waiting.seconds_to_live))
        for request in admitted:
            request.generation.begin()
        return admitted

    def begin_each(self, begin: Callable[[Request[Prompt]], None]) -> None:
        """Begin those whose turn has come; one that cannot be begun ends, and no other with it.

        Args:
            begin: Begins one; whatever it raises is what that answer ends with.
        """
        for request in self.admit():
            try:
                begin(request)
            except Exception as error:
                log.exception("an answer could not be begun version=%s", self._version)
                self.leave(request, error)

    def leave(self, request: Request[Prompt], failure: Exception | None = None) -> None:
        """End an answer that ran, and make room for the next."""
        with self._lock:
            self._running.discard(request)
        request.generation.end(failure)
        self._on_change()

    def close(self) -> None:
        """Take nothing more; what waits or runs is still to be finished."""
        with self._lock:
            self._is_closed = True
        self._on_change()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._is_closed

    def is_empty(self) -> bool:
        """Whether nothing waits and nothing runs."""
        with self._lock:
            return not self._waiting and not self._running

    def place(self, request: Request[Prompt]) -> int:
        """Return the place of a request: 1 is next, 0 that it does not wait."""
        with self._lock:
            return self._waiting.place(request)

    def seconds_to_next_expiry(self) -> float | None:
        """Return when to look again for what waits too long, in seconds; None if nothing waits."""
        with self._lock:
            until = self._waiting.next_expiry()
        return None if until is None else max(0.0, until - self._clock())

    def _give_up(self, request: Request[Prompt]) -> None:
        with self._lock:
            waited = self._waiting.remove(request)
        if waited:
            request.generation.end()
        self._on_change()
