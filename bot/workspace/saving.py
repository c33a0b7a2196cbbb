"""Keeping a workspace in a file, so that it is still there after a restart."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from bot.workspace.records import Json

log = logging.getLogger(__name__)


class StateFile:
    """Writes the state at most once a second, and when it is closed.

    The file is replaced as a whole, so a reader finds the old or the new state, never half.
    """

    def __init__(self, path: Path, snapshot: Callable[[], Json], seconds: float = 1.0) -> None:
        """Take the path, what gives the state, and the least time between two writes."""
        self._path = path
        self._snapshot = snapshot
        self._seconds = seconds
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def read(self) -> Json | None:
        """Return what was saved, or None if nothing was."""
        if not self._path.exists():
            return None
        data = json.loads(self._path.read_text("utf-8"))
        if not isinstance(data, dict):
            raise ValueError(f"{self._path} does not hold a workspace; move it away to start anew.")
        return data

    def start(self) -> None:
        """Begin to write after changes."""
        self._closing.clear()
        self._thread = threading.Thread(target=self._run, name="workspace-saving", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """Note that there is something to save."""
        self._changed.set()

    def close(self) -> None:
        """Write what is unsaved and stop."""
        self._closing.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.write()

    def write(self) -> None:
        """Write now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(self._snapshot(), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            if self._closing.wait(self._seconds):
                return
            self._changed.clear()
            try:
                self.write()
            except OSError:
                log.exception("workspace not saved path=%s", self._path)
