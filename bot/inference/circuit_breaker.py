"""A circuit breaker (Nygard, "Release It!"): a server that fails again and again is left alone.

Closed, everything goes through. After so many failures in a row it opens, and nothing goes
through until a time has passed. Then it is half open: one attempt goes through, and decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Says whether to try. Safe to use from several threads."""

    def __init__(
        self,
        failures: int,
        rest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take when it opens and for how long.

        Args:
            failures: How many failures in a row open it.
            rest_seconds: For how long it lets nothing through.
            clock: Seconds that do not go back.
        """
        self._failures = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self._open_until: float | None = None
        self._is_probing = False

    @property
    def is_closed(self) -> bool:
        """Whether everything goes through."""
        return self._open_until is None

    def would_allow(self) -> bool:
        """Whether an attempt would go through now; takes no one's place."""
        with self._lock:
            return self._may_pass()

    def allow(self) -> bool:
        """Return whether to try; what came of it must be told with one of the methods below."""
        with self._lock:
            if not self._may_pass():
                return False
            self._is_probing = self._open_until is not None
            return True

    def succeeded(self) -> None:
        """The server did what it should: let everything through."""
        with self._lock:
            self._failed_in_a_row = 0
            self._open_until = None
            self._is_probing = False

    def failed(self) -> None:
        """The server failed: count it, and open if it was once too often, or the probe."""
        with self._lock:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self._failures or self._is_probing:
                self._open_until = self._clock() + self._rest_seconds
                self._is_probing = False

    def told_nothing(self) -> None:
        """The attempt was given up before the server could show anything: another may try."""
        with self._lock:
            self._is_probing = False

    def _may_pass(self) -> bool:
        if self._open_until is None:
            return True
        return not self._is_probing and self._clock() >= self._open_until
