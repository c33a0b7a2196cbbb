"""What an erasure that was begun has still to know: it is kept until nothing of the person is left.

Once the tables are emptied they no longer say what the person wrote, but copies of it may still
stand elsewhere. So it is written down first, in a file that only the owner of the home reads, and
whoever erases the person again goes on from there.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from bot.erasing_files import Found
from storage.written import Written
from training.manifest import flush_folder

_ENDING = ".pending.json"


@dataclass(frozen=True)
class Pending:
    """An erasure that was begun.

    Attributes:
        user: The person's id.
        stands_for: What stands in its place.
        actor: Who began it.
        begun_at: When, ISO 8601 in UTC.
        written: What the person wrote, and where.
        others: What others wrote and the erasure empties all the same, see `storage.traces`.
        rows: In how many rows copies stood, by table; None before they were counted.
        files: The files in which something stood; None before they were looked through.
    """

    user: str
    stands_for: str
    actor: str
    begun_at: str
    written: Written
    others: tuple[str, ...]
    rows: dict[str, int] | None = None
    files: tuple[Found, ...] | None = None


class PendingErasures:
    """The erasures of one installation that were begun and have not come to their end."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, in which the reports lie, too. It need not be there yet."""
        self._folder = folder

    def all(self) -> tuple[Pending, ...]:
        """Return all of them, oldest first."""
        return tuple(sorted(map(_read, self.files()), key=lambda pending: pending.begun_at))

    def of(self, user: str) -> Pending | None:
        """Return the one of this person, if there is one."""
        return next((pending for pending in self.all() if pending.user == user), None)

    def file(self, stands_for: str) -> Path:
        """Return where an erasure is kept until it has come to its end."""
        return self._folder / f"{stands_for}{_ENDING}"

    def files(self) -> list[Path]:
        """Return the files of all of them."""
        return sorted(self._folder.glob(f"*{_ENDING}"))

    def keep(self, pending: Pending) -> None:
        """Write one down; when this returns, it outlives a power cut."""
        write_for_owner(self.file(pending.stands_for), asdict(pending))

    def forget(self, pending: Pending) -> None:
        """Delete one; when this returns, no power cut brings it back."""
        self.file(pending.stands_for).unlink(missing_ok=True)
        flush_folder(self._folder)


def write_for_owner(path: Path, value: object) -> None:
    """Write a value as JSON, for its owner's eyes; it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(".being-written")  # one name: what a crash leaves is overwritten
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=2, default=str)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    flush_folder(path.parent)


def _read(path: Path) -> Pending:
    kept = json.loads(path.read_text(encoding="utf-8"))
    files = kept["files"]
    return Pending(
        user=kept["user"],
        stands_for=kept["stands_for"],
        actor=kept["actor"],
        begun_at=kept["begun_at"],
        written=Written(
            **{field.name: tuple(kept["written"][field.name]) for field in fields(Written)}
        ),
        others=tuple(kept["others"]),
        rows=kept["rows"],
        files=None if files is None else tuple(Found(**each) for each in files),
    )
