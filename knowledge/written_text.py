"""What a parser hands on: Markdown in reading order, and what the file says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: More characters than this come from a broken or hostile file, not from written pages.
MOST_CHARACTERS = 10_000_000

_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"^([ \t]*)(#+[ \t]|#+$|```|~~~)", re.M)


@dataclass(frozen=True)
class WrittenText:
    """The text of a file.

    Attributes:
        parts: Markdown, in reading order: pages, slides, sheets, or all in one.
        fields: What the file says of itself by its usual names: `title`, `author`, `updated`.
    """

    parts: tuple[str, ...]
    fields: Mapping[str, object] = field(default_factory=dict)


def one_line(text: str) -> str:
    """Return a text with every run of white space as one blank."""
    return _SPACE.sub(" ", text.replace("\x00", "")).strip()


def heading(level: int, text: str) -> str:
    """Return a Markdown heading of `level` 1 or deeper; levels below 6 become 6."""
    return f"{'#' * min(max(level, 1), 6)} {one_line(text)}"


def without_marks(text: str) -> str:
    """Keep a line that begins with `#` or a fence from being taken for Markdown's own mark."""
    return _MARK.sub(r"\1\\\2", text)


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as one of GitHub's tables, the first as its head; empty rows are left out."""
    cleaned = [[one_line(cell).replace("|", "/") for cell in row] for row in rows]
    filled = [row for row in cleaned if any(row)]
    if not filled:
        return ""
    width = max(map(len, filled))
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in filled]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def joined(blocks: Iterable[str]) -> str:
    """Return blocks in order with an empty line between them; empty ones are left out."""
    return "\n\n".join(block for block in blocks if block.strip())
