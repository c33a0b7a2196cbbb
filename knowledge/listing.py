"""What lies in a source: the documents that may be read, and whether all of it could be seen.

Each kind of source (a folder, a repository, a website, an export) makes a `Listing`; everything
after that is the same for all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: Larger documents are skipped: no page that people write by hand comes near it.
LARGEST_FILE = 32 * 1024 * 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SourceMissing(Exception):
    """There is nothing at the place that was to be read."""


class FileUnreadable(Exception):
    """This file cannot be read as a document; the message says why, in a few words."""


class FileEmpty(FileUnreadable):
    """This file can be read, and nothing is written in it."""


@dataclass(frozen=True)
class FoundDocument:
    """A document of a source.

    Attributes:
        uri: Its address in the source, the same in every sync; its ending chooses the reader.
        read: Fetches its bytes, at most `LARGEST_FILE`; raises `FileUnreadable`.
        link: Where people can open it, if they can.
    """

    uri: str
    read: Callable[[], bytes]
    link: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A file that was not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """The documents of a source.

    Only from a listing that `is_complete` may be concluded that a document is gone.
    """

    location: str
    documents: tuple[FoundDocument, ...]
    skipped: tuple[Skipped, ...]
    is_complete: bool


def check_size(size: int) -> None:
    """Raise `FileUnreadable` if a file of so many bytes is larger than `LARGEST_FILE`."""
    if size > LARGEST_FILE:
        raise FileUnreadable(f"it is larger than {LARGEST_FILE // 1024**2} MB")


def read_within_limit(opened: IO[bytes]) -> bytes:
    """Return all of an open file, whatever it says of its size.

    Raises:
        FileUnreadable: it is larger than `LARGEST_FILE`.
    """
    data = opened.read(LARGEST_FILE + 1)
    check_size(len(data))
    return data


def printable(path: Path | str) -> str:
    """Return a path in a form that can be stored and shown: control characters as `%0A`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"%{ord(found.group()):02X}", text)
