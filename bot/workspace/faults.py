"""Misbehaviour on demand: what networks and Slack do on a bad day, when a test asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["answer", "drop_before", "drop_after", "delay"]


@dataclass
class CallFault:
    """What happens to the next calls of a method.

    `answer` replies with `status` (and `error`) without doing anything; `drop_before` and
    `drop_after` close the connection before or after the effect; `delay` waits first.
    """

    kind: Kind
    calls: int
    status: int = 200
    error: str = ""
    seconds: float = 0.0


class Faults:
    """The misbehaviour of one workspace. Every method can be called from any thread.

    Faults of one method are used up one after the other; a delay comes on top of another fault.
    """

    def __init__(self) -> None:
        """Begin well-behaved."""
        self._lock = threading.Lock()
        self._by_method: dict[str, list[CallFault]] = {}
        self._missing: set[str] = set()
        self._redeliveries = 0
        self._copies = 0
        self._acks_to_swallow = 0
        self._is_silent = False
        self._appends_left: int | None = None
        self._on_sockets: Callable[[str], None] = lambda _: None
        self._on_streams: Callable[[], None] = lambda: None

    def connect(self, on_sockets: Callable[[str], None], on_streams: Callable[[], None]) -> None:
        """Take what drops sockets and what expires streams."""
        self._on_sockets = on_sockets
        self._on_streams = on_streams

    # What tests ask for: the Web API.

    def rate_limit(self, method: str, calls: int = 1, retry_after: int = 1) -> None:
        """Answer the next calls of `method` with 429 and `Retry-After` (whole seconds)."""
        self._add(method, CallFault("answer", calls, 429, "ratelimited", retry_after))

    def server_error(self, method: str, calls: int = 1, status: int = 500) -> None:
        """Answer the next calls with a server error, without doing anything."""
        self._add(method, CallFault("answer", calls, status, "internal_error"))

    def refuse(self, method: str, error: str, calls: int = 1) -> None:
        """Answer the next calls with an error code of Slack's, such as `user_not_allowed`."""
        self._add(method, CallFault("answer", calls, 200, error))

    def drop_before(self, method: str, calls: int = 1) -> None:
        """Drop the connection of the next calls before they take effect."""
        self._add(method, CallFault("drop_before", calls))

    def drop_after(self, method: str, calls: int = 1) -> None:
        """Do what the next calls ask, then drop the connection instead of answering."""
        self._add(method, CallFault("drop_after", calls))

    def delay(self, method: str, seconds: float, calls: int = 1) -> None:
        """Wait before the next calls are served."""
        self._add(method, CallFault("delay", calls, seconds=seconds))

    def remove_method(self, method: str) -> None:
        """Make a method unknown, as in a workspace that does not have it."""
        with self._lock:
            self._missing.add(method)

    def restore_method(self, method: str) -> None:
        """Make a removed method known again."""
        with self._lock:
            self._missing.discard(method)

    def expire_streams(self) -> None:
        """End the life of every stream that is open now."""
        self._on_streams()

    def expire_streams_after(self, appends: int) -> None:
        """End the life of the next stream when it has grown `appends` times."""
        with self._lock:
            self._appends_left = appends

    # What tests ask for: Socket Mode.

    def redeliver_events(self, times: int = 1) -> None:
        """Deliver the next event again, with its event id, although it was acknowledged."""
        with self._lock:
            self._redeliveries = times

    def duplicate_messages(self, copies: int = 1) -> None:
        """Deliver the next person's message as further events with ids of their own."""
        with self._lock:
            self._copies = copies

    def swallow_acks(self, count: int = 1) -> None:
        """Lose the next acknowledgements on their way."""
        with self._lock:
            self._acks_to_swallow = count

    def drop_sockets(self) -> None:
        """Cut every socket without a word."""
        self._on_sockets("drop")

    def disconnect_sockets(self) -> None:
        """Send a `disconnect` frame, as Slack does when it refreshes a connection."""
        self._on_sockets("disconnect")

    def silence_pongs(self, is_silent: bool = True) -> None:
        """Stop answering pings, as a half-open connection does."""
        with self._lock:
            self._is_silent = is_silent

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._by_method.clear()
            self._missing.clear()
            self._redeliveries = self._copies = self._acks_to_swallow = 0
            self._is_silent = False

    # What the server asks.

    def is_missing(self, method: str) -> bool:
        """Return whether the method was removed."""
        with self._lock:
            return method in self._missing

    def take(self, method: str) -> list[CallFault]:
        """Return what happens to this call: at most one delay and one other fault."""
        with self._lock:
            waiting = self._by_method.get(method, [])
            taken: list[CallFault] = []
            for fault in list(waiting):
                is_delay = fault.kind == "delay"
                if any((one.kind == "delay") == is_delay for one in taken):
                    continue
                taken.append(fault)
                fault.calls -= 1
                if fault.calls <= 0:
                    waiting.remove(fault)
            return taken

    def take_redeliveries(self) -> int:
        """Return how often the event at hand is delivered again."""
        with self._lock:
            times, self._redeliveries = self._redeliveries, 0
            return times

    def take_append(self) -> bool:
        """Return whether the append at hand comes too late: the stream's life is over."""
        with self._lock:
            if self._appends_left is None:
                return False
            if self._appends_left > 0:
                self._appends_left -= 1
                return False
            self._appends_left = None
            return True

    def take_copies(self) -> int:
        """Return how many more events the message at hand gives."""
        with self._lock:
            copies, self._copies = self._copies, 0
            return copies

    def take_ack(self) -> bool:
        """Return whether the acknowledgement at hand is lost."""
        with self._lock:
            if self._acks_to_swallow <= 0:
                return False
            self._acks_to_swallow -= 1
            return True

    @property
    def is_silent(self) -> bool:
        """Whether pings stay unanswered."""
        with self._lock:
            return self._is_silent

    def _add(self, method: str, fault: CallFault) -> None:
        with self._lock:
            self._by_method.setdefault(method, []).append(fault)
