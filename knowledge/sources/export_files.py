"""The files of an export, whether it was unpacked or is still a zip file.

Nothing is unpacked to the disk: a file of a zip is read when it is needed, and never further than
the limit, whatever its header says.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from knowledge.archive_limits import ArchiveLimits
from knowledge.folder import read_bytes
from knowledge.listing import FileUnreadable, SourceMissing, read_within_limit

#: An export with more files, or more bytes once unpacked, is no export but a bomb.
#: Messages and pages shrink to a tenth or twentieth. What unpacks to little harms nobody.
_LIMITS = ArchiveLimits(
    most_members=500_000,
    most_bytes=16 * 1024**3,
    largest_ratio=200,
    harmless_bytes=64 * 1024**2,
)

#: A zip inside of a zip is held in memory, so it has to be smaller than this, in bytes.
LARGEST_PART = 512 * 1024**2

#: What systems add to archives, and nobody wrote.
_NOISE = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))

_DAMAGE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

Reader = Callable[[], bytes]


@dataclass(frozen=True)
class ExportFiles:
    """The files of an export.

    Attributes:
        location: Where the export lies.
        readers: What reads each file, by its path in the export with `/` between folders. Each
            raises `FileUnreadable`.
        unseen: Why folders, by their path, could not be listed.
    """

    location: str
    readers: Mapping[str, Reader]
    unseen: Mapping[str, str]

    def read(self, name: str) -> bytes:
        """Return what is in a file.

        Raises:
            FileUnreadable: it is not there, is too large or damaged.
        """
        if name not in self.readers:
            raise FileUnreadable("there is no such file in the export")
        return self.readers[name]()


def open_export(path: Path) -> ExportFiles:
    """Return the files of an export: a folder, a zip file, or a zip file with zip files in it.

    Where everything lies in one folder of the export, names begin below that folder. Links are
    not followed. A zip file stays open as long as its readers are kept.

    Raises:
        SourceMissing: there is neither a folder nor a zip file that can be read.
    """
    try:
        root = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceMissing(f"There is no export {str(path)!r}. Check the spelling.") from error
    unseen: dict[str, str] = {}
    try:
        found = dict(_of_folder(root, unseen) if root.is_dir() else _of_zip(root))
    except _DAMAGE as error:
        raise SourceMissing(
            f"{path} cannot be read as a zip file ({error}). Export it again, or unpack it and "
            "name the folder."
        ) from error
    return ExportFiles(str(root), _below_one_folder(found), unseen)


def _of_folder(root: Path, unseen: dict[str, str]) -> Iterator[tuple[str, Reader]]:
    def could_not_list(error: OSError) -> None:
        where = os.path.relpath(error.filename or root, root)
        unseen[where] = f"the folder cannot be listed ({error.strerror})"

    for folder, below, names in os.walk(root, onerror=could_not_list):
        below.sort()
        for name in sorted(names):
            file = Path(folder, name)
            inside = file.relative_to(root).as_posix()
            if not file.is_symlink() and not _is_noise(inside):
                yield inside, partial(read_bytes, file)


def _of_zip(path: Path) -> Iterator[tuple[str, Reader]]:
    archive = zipfile.ZipFile(path)
    for member in _members(archive, path.stat().st_size):
        if member.filename.lower().endswith(".zip"):
            if member.file_size > LARGEST_PART:
                raise zipfile.BadZipFile(f"{member.filename} in it is larger than is read")
            with archive.open(member) as opened:
                data = opened.read(LARGEST_PART + 1)
            part = zipfile.ZipFile(BytesIO(data))
            for each in _members(part, len(data)):
                yield each.filename, partial(_read, part, each)
        else:
            yield member.filename, partial(_read, archive, member)


def _members(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not _is_noise(member.filename)
    ]
    if _LIMITS.passed_by(members, size):
        raise zipfile.BadZipFile("it unpacks to more than an export holds, like a zip bomb")
    return sorted(members, key=lambda member: member.filename)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.flag_bits & 1:
        raise FileUnreadable("it is protected by a password")
    try:
        with archive.open(member) as opened:
            return read_within_limit(opened)
    except _DAMAGE as error:
        raise FileUnreadable("it is damaged in the zip file") from error


def _is_noise(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in _NOISE


def _below_one_folder(found: Mapping[str, Reader]) -> Mapping[str, Reader]:
    tops = {name.partition("/")[0] for name in found}
    is_nested = len(tops) == 1 and all("/" in name for name in found)
    if not is_nested:
        return found
    return {name.partition("/")[2]: reader for name, reader in found.items()}
