"""Zip-based files that no parser should open: bombs, and XML that declares entities.

Python's `zipfile` never inflates a member beyond the size that the directory of the archive
states, so adding up those sizes bounds what any parser on top of it can be made to hold.
Archives inside an archive are counted as the bytes they are; nothing ever opens them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from xml.parsers import expat

from knowledge.listing import FileUnreadable


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold.

    Attributes:
        most_members: More parts than what it is for has.
        most_bytes: More bytes, unpacked, are data or an attack.
        largest_ratio: How many times its own size it may unpack to.
        harmless_bytes: What unpacks to less than this harms nobody at any ratio.
    """

    most_members: int
    most_bytes: int
    largest_ratio: int
    harmless_bytes: int

    def passed_by(self, members: Collection[zipfile.ZipInfo], size: int) -> str | None:
        """Say which limit an archive passes, or return None.

        Args:
            members: What is read of it.
            size: Of the archive itself, in bytes.
        """
        if len(members) > self.most_members:
            return f"it is an archive of more than {self.most_members:,} parts"
        total = sum(member.file_size for member in members)
        if total > self.most_bytes:
            return f"it unpacks to more than {self.most_bytes // 1024**2} MB, like a zip bomb"
        if total > self.harmless_bytes and total > self.largest_ratio * size:
            return f"it unpacks to more than {self.largest_ratio} times its size, like a zip bomb"
        return None


#: Office files shrink to a twentieth, long tables of equal cells to a hundredth.
_OF_A_DOCUMENT = ArchiveLimits(
    most_members=10_000,
    most_bytes=400 * 1024**2,
    largest_ratio=200,
    harmless_bytes=16 * 1024**2,
)

#: An XML part whose first element comes later, in bytes, is not written by an office program.
_LONGEST_PROLOG = 1024**2

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _Declares(Exception):
    """The XML has a document type declaration."""


class _Begins(Exception):
    """The first element was reached without one."""


def check_archive(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that would unpack to more than a document holds.

    Args:
        archive: Just opened, nothing read from it.
        size: Of the archive itself, in bytes.

    Raises:
        FileUnreadable: it has too many members, or unpacks to too much.
    """
    members = archive.infolist()
    if reason := _OF_A_DOCUMENT.passed_by(members, size):
        raise FileUnreadable(reason)
    if any(member.compress_type not in _COMPRESSIONS for member in members):
        raise FileUnreadable("it is compressed in a way that office programs never use")
    if any(member.flag_bits & 1 for member in members):
        raise FileUnreadable("it is protected by a password")


def check_markup(archive: zipfile.ZipFile, endings: Iterable[str] = (".xml", ".rels")) -> None:
    """Refuse an archive with XML that declares a document type, and with it entities.

    ECMA-376 part 2 forbids declarations; all they could do here is to multiply (a "billion
    laughs") or to fetch. Only the part of each member before its first element is parsed.

    Raises:
        FileUnreadable: there is a declaration, or XML that is none.
    """
    ends = tuple(endings)
    for member in archive.infolist():
        if member.filename.lower().endswith(ends) and member.file_size:
            with archive.open(member) as opened:
                start = opened.read(_LONGEST_PROLOG)
            _check_prolog(start, member.filename)


def _check_prolog(start: bytes, name: str) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _declares
    parser.StartElementHandler = _begins
    try:
        parser.Parse(start, False)
    except _Begins:
        return
    except _Declares:
        raise FileUnreadable(
            "it declares entities in its XML, as attacks do and office programs never"
        ) from None
    except expat.ExpatError as error:
        raise FileUnreadable(f"it is damaged (no XML in {name[:80]!r})") from error
    raise FileUnreadable(f"it is damaged (no XML in {name[:80]!r})")


def _declares(*_: object) -> None:
    raise _Declares


def _begins(*_: object) -> None:
    raise _Begins
