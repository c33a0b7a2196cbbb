"""The structure of a page: sections under their headings, and the blocks that may not be torn."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from knowledge.markdown_text import split_fences

Kind = Literal["prose", "item", "table", "code"]

_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re.compile(r"^([ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]+\S")
_TABLE_RULE = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")

_TABLE_FILL = re.compile(r"-{4,}|[ \t]{2,}")

_LONGEST_HEADING = 160

#: A line of at least this many characters that another one follows was wrapped, not ended.
_WRAPPED_LINE = 50


@dataclass(frozen=True)
class Block:
    """A paragraph, one item of a list, a table or a piece of code."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Section:
    """What stands directly under one heading. `path` is its headings, outermost first."""

    path: tuple[str, ...]
    blocks: tuple[Block, ...]


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a text in order, those without a word of their own left out.

    Headings are Markdown's, underlined ones too; what looks like one inside fenced code is not.
    """
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for level, heading, block in _walk(text):
        if block is not None:
            blocks.append(block)
            continue
        if blocks:
            yield Section(tuple(name for _, name in path), tuple(blocks))
            blocks = []
        path = [(above, name) for above, name in path if above < level]
        path.append((level, heading))
    if blocks:
        yield Section(tuple(name for _, name in path), tuple(blocks))


def _walk(text: str) -> Iterator[tuple[int, str, Block | None]]:
    """Yield headings as (level, heading, None) and blocks as (0, "", block)."""
    for is_code, part in split_fences(text):
        if is_code:
            yield 0, "", Block("code", part)
            continue
        lines: list[str] = []
        for line in part.split("\n"):
            atx = _ATX.match(line)
            if atx is None and not (_underlines(line, lines) or _RULE.match(line)):
                lines.append(line)
                continue
            level, heading = 0, ""
            if atx is not None:
                level, heading = len(atx.group(1)), _heading(atx.group(2) or "")
            elif _underlines(line, lines):
                level, heading = 1 if "=" in line else 2, _heading(lines.pop())
            yield from ((0, "", block) for block in _blocks(lines))
            lines = []
            if heading:
                yield level, heading, None
        yield from ((0, "", block) for block in _blocks(lines))


def _underlines(line: str, above: list[str]) -> bool:
    """Whether a line makes the one above it a heading: one line, which is neither list nor row."""
    if not above or not _SETEXT.match(line):
        return False
    title = above[-1]
    stands_alone = len(above) == 1 or not above[-2].strip()
    return bool(title.strip()) and stands_alone and "|" not in title and not _ITEM.match(title)


def _heading(text: str) -> str:
    squeezed = " ".join(text.split()).replace(" > ", " › ")
    return squeezed[:_LONGEST_HEADING]


def _blocks(lines: list[str]) -> Iterator[Block]:
    kind: Kind = "prose"
    run: list[str] = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        starts = _start_of(line, following, kind if run else None)
        if starts == "blank" or starts is not None:
            if run:
                yield _block(kind, run)
            run = []
        if starts == "blank":
            continue
        if starts is not None:
            kind = starts
        run.append(line.rstrip())
    if run:
        yield _block(kind, run)


def _block(kind: Kind, lines: list[str]) -> Block:
    """Make a block: wrapped lines are one line again, a table's columns no wider than needed."""
    if kind == "table":
        return Block(kind, "\n".join(_TABLE_FILL.sub(_narrowed, line) for line in lines))
    if kind == "code":
        return Block(kind, "\n".join(lines))
    text = lines[0]
    for before, line in itertools.pairwise(lines):
        continued = line.strip()
        was_wrapped = len(before) >= _WRAPPED_LINE or continued[:1].islower()
        text += f" {continued}" if was_wrapped else f"\n{line}"
    return Block(kind, text)


def _narrowed(fill: re.Match[str]) -> str:
    return "---" if fill.group().startswith("-") else " "


def _start_of(line: str, following: str, within: Kind | None) -> Kind | Literal["blank"] | None:
    """Return what kind of block begins with `line`, or None if it continues the one before."""
    if not line.strip():
        return "blank"
    if _ITEM.match(line):
        return "item"
    is_row = "|" in line
    if within == "table":
        return None if is_row else "prose"
    if is_row and (line.lstrip().startswith("|") or _TABLE_RULE.match(following)):
        return "table"
    return "prose" if within is None else None
