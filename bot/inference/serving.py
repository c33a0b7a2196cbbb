"""Serving one version at a time, and changing it without mixing two in one answer.

A lease gives one engine for one whole answer. A swap sends new leases to the new engine at once;
the old one goes on until its last lease ends. Then it is closed, or kept open for a while, so that
going back to it takes no time. No answer ever sees the weights, or the cached keys and values, of
two versions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bot.inference.language_model import LanguageModel

log = logging.getLogger(__name__)


class ModelServer:
    """Owns the engine that answers now, and those that are finishing."""

    def __init__(self, engine: LanguageModel, *, kept_seconds: float = 0.0) -> None:
        """Take the first engine; from now on it is ours to close.

        Args:
            engine: The engine that answers now.
            kept_seconds: How long the engine before stays open after a swap, in seconds.
        """
        self._changed = threading.Condition()
        self._engine = engine
        self._leases: dict[int, int] = {id(engine): 0}
        self._kept_seconds = kept_seconds
        self._kept: LanguageModel | None = None
        self._timer: threading.Timer | None = None

    @property
    def version(self) -> str:
        """The name of the version that new answers get."""
        return self._engine.version

    @contextmanager
    def lease(self) -> Iterator[LanguageModel]:
        """Give one engine for one whole answer."""
        with self._changed:
            engine = self._engine
            self._leases[id(engine)] += 1
        try:
            yield engine
        finally:
            with self._changed:
                self._leases[id(engine)] -= 1
                self._changed.notify_all()

    def swap(self, engine: LanguageModel) -> None:
        """Let `engine` answer from now on. Returns at once; the old one finishes what it began."""
        with self._changed:
            old, self._engine = self._engine, engine
            self._leases[id(engine)] = 0
            before, self._kept = self._kept, (old if self._kept_seconds else None)
            self._keep_for_a_while()
        log.info("version swapped from=%s to=%s", old.version, engine.version)
        for leaving in (before, None if self._kept_seconds else old):
            self._retire_soon(leaving)

    def swap_back(self, version: str) -> bool:
        """Let the engine that is kept open answer again, if it is that version's."""
        with self._changed:
            kept = self._kept
            if kept is None or kept.version != version:
                return False
            self._engine, self._kept = kept, self._engine
            self._keep_for_a_while()
        log.info("version swapped back to=%s", version)
        return True

    def let_go(self) -> None:
        """Close the engine that is kept open, if one is, once it has finished what it began."""
        with self._changed:
            kept, self._kept = self._kept, None
        self._retire_soon(kept)

    def close(self) -> None:
        """Wait for the running answers, then close every engine."""
        with self._changed:
            kept, self._kept = self._kept, None
            if self._timer is not None:
                self._timer.cancel()
        if kept is not None:
            self._retire(kept)
        self._retire(self._engine)

    def _keep_for_a_while(self) -> None:
        """Begin anew to count how long the engine before stays open."""
        if self._timer is not None:
            self._timer.cancel()
        if self._kept is not None:
            self._timer = threading.Timer(self._kept_seconds, self.let_go)
            self._timer.daemon = True
            self._timer.start()

    def _retire_soon(self, engine: LanguageModel | None) -> None:
        if engine is not None:
            threading.Thread(
                target=self._retire, args=(engine,), name=f"retire-{engine.version}", daemon=True
            ).start()

    def _retire(self, engine: LanguageModel) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._leases.get(id(engine)))
            self._leases.pop(id(engine), None)
        engine.close()
        log.info("version closed version=%s", engine.version)
