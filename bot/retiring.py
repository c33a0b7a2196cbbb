"""Retiring versions: an admin's word, or too many of them, and then their files go.

SQL says first that a version is gone, the files follow. A process that is killed between leaves
files of a version that nothing opens any more; the next look deletes them.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.retraining import RetrainRefused
from storage import retiring
from storage.database import Database
from storage.failpoints import failpoint
from storage.retiring import RetireRefused
from storage.versions import PromotionRefused, Version

log = logging.getLogger(__name__)

#: Who retires what is too many.
UPKEEP = "upkeep"


@dataclass(frozen=True)
class RetiredVersions:
    """Keeps the versions of one installation bounded.

    Attributes:
        database: The truth.
        folder: Where the folders of versions lie; nothing outside it is ever deleted.
        kept: How many versions beside the base may keep their files.
    """

    database: Database
    folder: Path
    kept: int

    def retire(self, actor: str, name: str, reason: str) -> str:
        """Give a version up for good, and delete its files; returns its name.

        Raises:
            RetrainRefused: there is no such version, it is needed, or the reason is missing.
        """
        try:
            with self.database.write() as session:
                version = retiring.retire(session, name, actor=actor, reason=reason)
        except (PromotionRefused, RetireRefused) as refused:
            raise RetrainRefused(str(refused)) from refused
        log.info("version retired version=%s by=%s", name, actor)
        failpoint("retire.before_files")
        self._delete(version)
        return version.name

    def tidy(self) -> tuple[str, ...]:
        """Retire the oldest versions that are too many, and finish what was begun.

        Returns:
            The names of the versions that were retired now.
        """
        self.delete_leftovers()
        with self.database.read() as session:
            names = [version.name for version in retiring.beyond(session, self.kept)]
        done = []
        for name in names:
            reason = f"More than {self.kept} versions were kept; this was the oldest to spare."
            try:
                done.append(self.retire(UPKEEP, name, reason))
            except RetrainRefused as refused:  # somebody has begun to need it meanwhile
                log.warning("version not retired version=%s: %s", name, refused)
        return tuple(done)

    def leftovers(self) -> tuple[Version, ...]:
        """Return the retired versions whose files still lie there."""
        with self.database.read() as session:
            gone = retiring.retired(session)
        return tuple(version for version in gone if self._lies_here(version))

    def delete_leftovers(self) -> int:
        """Delete the files of retired versions that a crash has left; returns of how many."""
        left = self.leftovers()
        for version in left:
            self._delete(version)
        return len(left)

    def _delete(self, version: Version) -> None:
        if not self._lies_here(version):
            return
        assert version.folder is not None
        try:
            shutil.rmtree(version.folder)
        except OSError:
            log.exception("files not deleted version=%s folder=%s", version.name, version.folder)
            return
        log.info("files deleted version=%s folder=%s", version.name, version.folder)

    def _lies_here(self, version: Version) -> bool:
        if version.folder is None:
            return False
        folder = Path(version.folder)
        return folder.parent.resolve() == self.folder.resolve() and folder.is_dir()
