"""Serving one version at a time, and changing it without mixing two in one answer.

A lease gives one engine for one whole answer. A swap sends new leases to the new engine at once;
the old one goes on until its last lease ends and is closed then. No answer ever sees the weights,
or the cached keys and values, of two versions.
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

    def __init__(self, engine: LanguageModel) -> None:
        """Take the first engine; from now on it is ours to close."""
        self._changed = threading.Condition()
        self._engine = engine
        self._leases: dict[int, int] = {id(engine): 0}

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
        """Let `engine` answer from now on. Returns at once; the old one closes when it is done."""
        with self._changed:
            old, self._engine = self._engine, engine
            self._leases[id(engine)] = 0
        log.info("version swapped from=%s to=%s", old.version, engine.version)
        threading.Thread(
            target=self._retire, args=(old,), name=f"retire-{old.version}", daemon=True
        ).start()

    def close(self) -> None:
        """Wait for the running answers, then close the engine."""
        self._retire(self._engine)

    def _retire(self, engine: LanguageModel) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._leases.get(id(engine)))
            self._leases.pop(id(engine), None)
        engine.close()
        log.info("version closed version=%s", engine.version)
