"""The ledger: every call the app made, in order, with what came of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bot.workspace.records import Json


@dataclass(frozen=True)
class Call:
    """One call of the Web API or of a response URL.

    Attributes:
        number: Counts from 1.
        at: Seconds since the epoch, when it was answered.
        method: Slack's name of the method; `response_url` for a response URL.
        arguments: As they were understood, without the token.
        result: The answer's body; empty when none was sent.
        status: The HTTP status; 0 when the connection was dropped instead.
        has_taken_effect: Whether the workspace is different for it (or could be).
    """

    number: int
    at: float
    method: str
    arguments: Json
    result: Json
    status: int
    has_taken_effect: bool

    @property
    def is_ok(self) -> bool:
        """Whether the app was told that it worked."""
        return self.status == 200 and bool(self.result.get("ok"))

    @property
    def error(self) -> str:
        """Slack's error code, or an empty string."""
        return str(self.result.get("error", ""))


class Ledger:
    """An append-only list of calls, safe to use from any thread."""

    def __init__(self) -> None:
        """Begin empty."""
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many calls were made."""
        with self._lock:
            return len(self._calls)

    def note(
        self,
        at: float,
        method: str,
        arguments: Json,
        result: Json,
        *,
        status: int,
        has_taken_effect: bool,
    ) -> Call:
        """Append a call and return it."""
        with self._lock:
            call = Call(
                len(self._calls) + 1, at, method, arguments, result, status, has_taken_effect
            )
            self._calls.append(call)
            return call

    def calls(self, method: str | None = None, *, since: int = 0) -> list[Call]:
        """Return the calls, all or those of one method, after number `since`."""
        with self._lock:
            return [call for call in self._calls[since:] if method is None or call.method == method]

    def effects(self, method: str) -> list[Call]:
        """Return the calls of a method that took effect, also those whose answer was lost."""
        return [call for call in self.calls(method) if call.has_taken_effect]

    def refused(self) -> list[Call]:
        """Return the calls that were answered with an error."""
        return [call for call in self.calls() if call.status != 0 and not call.is_ok]
