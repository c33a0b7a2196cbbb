"""A folder as a source: the readable files in it, links and hidden files passed over."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from knowledge.listing import (
    FileUnreadable,
    FoundDocument,
    Listing,
    Skipped,
    SourceMissing,
    check_size,
    printable,
    read_within_limit,
)

#: What belongs to pages without being one; passed over without a word.
_ASSETS = frozenset(
    """
    .avif .bmp .css .eot .gif .ico .jpeg .jpg .js .jsx .map .mov .mp3 .mp4 .otf .png .scss .svg
    .ts .tsx .ttf .webm .webp .woff .woff2
    """.split()
)


@dataclass
class _Gathering:
    documents: dict[str, FoundDocument] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    is_complete: bool = True


def list_files(path: Path, suffixes: frozenset[str]) -> Listing:
    """List the readable files at `path`: a folder with all that is below it, or one file.

    Hidden files and folders are passed over. Links are never followed.

    Args:
        path: A folder or a file.
        suffixes: The suffixes that can be read, in lower case (`.md`).

    Raises:
        SourceMissing: there is nothing at `path`, or it may not be looked at.
    """
    try:
        root = path.resolve(strict=True)
        is_folder = root.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceMissing(
            f"There is no folder or file {str(path)!r}. Check the spelling, and that this "
            "machine can see it."
        ) from error
    gathering = _Gathering()
    if is_folder:
        _gather(root, suffixes, gathering)
    else:
        _consider(root, root.parent, suffixes, gathering)
    return Listing(
        str(root),
        tuple(gathering.documents.values()),
        tuple(gathering.skipped),
        gathering.is_complete,
    )


def read_bytes(path: Path) -> bytes:
    """Return what is in a file. Raise `FileUnreadable` if it is no plain file, or too large."""
    try:
        # Not following a link, and not waiting for a pipe, that was put there since the listing.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise FileUnreadable(f"it cannot be opened ({error.strerror})") from error
    with open(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise FileUnreadable("it is not a plain file")
        check_size(found.st_size)
        try:
            return read_within_limit(opened)
        except OSError as error:
            raise FileUnreadable(f"it cannot be read ({error.strerror})") from error


def _gather(root: Path, suffixes: frozenset[str], gathering: _Gathering) -> None:
    def could_not_list(error: OSError) -> None:
        gathering.is_complete = False
        where = printable(os.path.relpath(error.filename or root, root))
        gathering.skipped.append(Skipped(where, f"the folder cannot be listed ({error.strerror})"))

    for folder, below, names in os.walk(root, onerror=could_not_list):
        below[:] = sorted(_visible(Path(folder), below, root, gathering))
        for name in sorted(names):
            if not name.startswith("."):
                _consider(Path(folder, name), root, suffixes, gathering)


def _visible(folder: Path, names: list[str], root: Path, gathering: _Gathering) -> Iterator[str]:
    for name in names:
        if name.startswith("."):
            continue
        path = folder / name
        if path.is_symlink():
            gathering.skipped.append(Skipped(printable(path.relative_to(root)), _link(path, root)))
        else:
            yield name


def _consider(path: Path, root: Path, suffixes: frozenset[str], gathering: _Gathering) -> None:
    uri = printable(path.relative_to(root).as_posix())
    suffix = path.suffix.lower()
    if suffix in _ASSETS:
        return
    if path.is_symlink():
        gathering.skipped.append(Skipped(uri, _link(path, root)))
    elif suffix not in suffixes:
        kind = f"files ending in {suffix}" if suffix else "files without an ending"
        gathering.skipped.append(Skipped(uri, f"{kind} cannot be read"))
    elif uri in gathering.documents:  # `a%0Ab.md` beside a name with a real line break
        gathering.skipped.append(Skipped(uri, "another file's name is written in the same way"))
    else:
        gathering.documents[uri] = FoundDocument(uri, partial(read_bytes, path))


def _link(path: Path, root: Path) -> str:
    try:
        is_inside = path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a link to itself
        is_inside = False
    if is_inside:
        return "it is a link; what it points to is read where it lies"
    return "it is a link that leads out of the folder"
