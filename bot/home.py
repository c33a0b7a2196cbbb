"""The home folder: where all state of an installation lies, and who owns it at the moment."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs


class HomeOwned(Exception):
    """Another Skredder process runs on this home folder."""


@dataclass(frozen=True)
class Home:
    """The folders of one installation."""

    root: Path
    #: Where the base model is, when another home has converted it already.
    shared_models: Path | None = None

    @property
    def database(self) -> Path:
        """The SQLite file, when no other database is named."""
        return self.root / "skredder.db"

    @property
    def index(self) -> Path:
        """Chroma and the keyword index: derived, may be deleted."""
        return self.root / "index"

    @property
    def models(self) -> Path:
        """The base model, converted once."""
        return self.shared_models or self.root / "models"

    @property
    def runs(self) -> Path:
        """Snapshots, adapters, versions and logs of training."""
        return self.root / "training"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def erasures(self) -> Path:
        """The reports of erasures, and what those must know that have not come to their end."""
        return self.root / "erasures"

    @property
    def control(self) -> Path:
        """How the command line reaches the bot that runs here: a port and a token."""
        return self.root / "control.json"

    @property
    def settings(self) -> Path:
        """The settings file that is used when no other is named."""
        return self.root / "skredder.toml"

    def make(self) -> Home:
        """Create the folders, readable by their owner only."""
        for folder in (self.root, self.index, self.models, self.runs, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def own(self) -> HomeLock:
        """Become the one process that works on this home. Raises `HomeOwned`."""
        self.make()
        return HomeLock(self.root / ".owner")


class HomeLock:
    """The lock of a home folder, held until it is released or the process ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises `HomeOwned` when another process has it."""
        self._file: IO[str] = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise HomeOwned(
                f"Skredder already runs on {path.parent} (process {owner}). "
                "Stop it first, or set SKREDDER_HOME to another folder."
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another process have the home."""
        self._file.close()


def find_home(folder: str | None = None) -> Home:
    """Return the home folder: `folder`, else `SKREDDER_HOME`, else the user's data folder."""
    chosen = folder or os.environ.get("SKREDDER_HOME")
    root = Path(chosen) if chosen else Path(platformdirs.user_data_dir("skredder"))
    return Home(root.expanduser().resolve())
