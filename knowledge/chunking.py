"""Pages to passages: along the headings, short enough to embed, each with its breadcrumb."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from knowledge.readers import Page
from knowledge.structure import Block, Kind, Section, sections
from storage.documents import PassageText

#: The most tokens in a passage, counted by the embedder. More would dilute what it is about, also
#: where the embedder reads more.
PASSAGE_TOKENS = 220

#: What the title and the breadcrumb, which are embedded with a passage, may take.
HEADING_TOKENS = 34

#: A passage of fewer tokens says too little, whatever the embedder reads.
_FEWEST_TOKENS = 48

#: A section with fewer tokens says too little by itself; several in a row become one passage.
TINY_SECTION_TOKENS = 12

#: The last sentence before a cut is repeated behind it if it has this many tokens.
OVERLAP_TOKENS = range(6, 41)

#: Text that goes to the sentence splitter in one piece, in characters; its time is quadratic.
_LONGEST_RUN = 8_000

_SENTENCE = re.compile(r"\S.*?(?:[.!?…][\"'”»)\]]*(?=\s+[^a-zæøå\s])|\Z)\s*", re.S)

#: Counts the embedder's tokens in each of several texts.
CountTokens = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True)
class _Part:
    kind: Kind
    text: str
    tokens: int


@dataclass(frozen=True)
class _Cut:
    path: tuple[str, ...]
    text: str
    tokens: int


def room_for_text(passage_tokens: int) -> int:
    """Return how many tokens a passage may have for an embedder that reads so many."""
    return max(_FEWEST_TOKENS, min(PASSAGE_TOKENS, passage_tokens - HEADING_TOKENS))


def cut(
    page: Page, count_tokens: CountTokens, room: int = PASSAGE_TOKENS
) -> tuple[PassageText, ...]:
    """Cut a page into passages of at most `room` tokens, in reading order.

    A passage never reaches over a heading, unless sections are tiny: a run of them under the
    same parent is joined under the parent's heading, each line led by its own. Only a section
    that is too long is cut, between blocks if possible, else between items, rows or sentences;
    the sentence before such a cut is repeated behind it, and a table's head on each of its parts.
    """
    splitting = _Splitting(count_tokens, room)
    cuts = [piece for section in sections(page.text) for piece in splitting.cut_section(section)]
    return tuple(
        PassageText(breadcrumb=_breadcrumb(page.title, joined.path), text=joined.text)
        for joined in _join_tiny(cuts, count_tokens, room)
    )


class _Splitting:
    """Cuts sections into pieces that fit."""

    def __init__(self, count_tokens: CountTokens, room: int) -> None:
        self._count_tokens = count_tokens
        self._room = room

    def cut_section(self, section: Section) -> Iterator[_Cut]:
        counts = self._count_tokens([block.text for block in section.blocks])
        parts = [
            part
            for block, tokens in zip(section.blocks, counts, strict=True)
            for part in self._parts(block, tokens)
        ]
        total = sum(part.tokens for part in parts)
        pieces = -(-total // self._room)
        # Aiming at equal pieces keeps the last one from being a lonely line.
        budget = min(self._room, int(total / max(pieces, 1) * 1.2) + 1)
        before: list[_Part] = []
        for group in _packed(parts, budget):
            tokens = sum(part.tokens for part in group)
            led = self._repeated(before, group, self._room - tokens)
            yield _Cut(section.path, _joined([*led, *group]), tokens + sum(p.tokens for p in led))
            before = group

    def _parts(self, block: Block, tokens: int) -> Iterator[_Part]:
        if tokens <= self._room:
            yield _Part(block.kind, block.text, tokens)
        elif block.kind == "table":
            yield from self._line_groups(block, head_lines=_head_lines(block.text))
        elif block.kind == "code":
            yield from self._line_groups(block, head_lines=0)
        else:
            yield from self._sentences(block.kind, block.text, self._room)

    def _line_groups(self, block: Block, head_lines: int) -> Iterator[_Part]:
        lines = block.text.split("\n")
        head, rows = "\n".join(lines[:head_lines]), lines[head_lines:]
        head_tokens = self._count_tokens([head])[0] if head else 0
        if head_tokens > self._room // 2:
            head, head_tokens, rows = "", 0, lines
        parts = [
            part
            for row, tokens in zip(rows, self._count_tokens(rows), strict=True)
            for part in (
                [_Part(block.kind, row, tokens)]
                if tokens + head_tokens <= self._room
                else self._sentences(block.kind, row, self._room - head_tokens)
            )
        ]
        for group in _packed(parts, self._room - head_tokens):
            text = "\n".join(
                [head, *(part.text for part in group)] if head else [p.text for p in group]
            )
            yield _Part(block.kind, text, head_tokens + sum(part.tokens for part in group))

    def _sentences(self, kind: Kind, text: str, budget: int) -> Iterator[_Part]:
        pieces: list[str] = []
        while text:
            space = text.rfind(" ", _LONGEST_RUN // 2, _LONGEST_RUN)
            end = space + 1 if len(text) > _LONGEST_RUN and space > 0 else _LONGEST_RUN
            pieces += self._split(text[:end], budget)
            text = text[end:]
        for piece, tokens in zip(pieces, self._count_tokens(pieces), strict=True):
            yield _Part(kind, piece, tokens)

    def _split(self, text: str, budget: int) -> list[str]:
        from llama_index.core.node_parser import SentenceSplitter

        splitter = SentenceSplitter(
            chunk_size=budget,
            chunk_overlap=0,
            tokenizer=lambda piece: range(self._count_tokens([piece])[0]),
            chunking_tokenizer_fn=_SENTENCE.findall,
            include_metadata=False,
        )
        return [piece for piece in splitter.split_text(text) if piece.strip()]

    def _repeated(self, before: list[_Part], group: list[_Part], room: int) -> list[_Part]:
        if not before or before[-1].kind != "prose" or group[0].kind != "prose":
            return []
        sentences = _SENTENCE.findall(before[-1].text)
        last = sentences[-1].strip() if sentences else ""
        tokens = self._count_tokens([last])[0] if last else 0
        return [_Part("prose", last, tokens)] if tokens in OVERLAP_TOKENS and tokens <= room else []


def _packed(parts: Sequence[_Part], budget: int) -> Iterator[list[_Part]]:
    """Group parts in order, each group within `budget` tokens unless one part alone exceeds it."""
    group: list[_Part] = []
    used = 0
    for part in parts:
        if group and used + part.tokens > budget:
            yield group
            group, used = [], 0
        group.append(part)
        used += part.tokens
    if group:
        yield group


def _joined(parts: Sequence[_Part]) -> str:
    text = parts[0].text
    for before, part in itertools.pairwise(parts):
        is_list = before.kind == "item" and part.kind == "item"
        text += ("\n" if is_list else "\n\n") + part.text
    return text.strip("\n")


def _join_tiny(cuts: Sequence[_Cut], count_tokens: CountTokens, room: int) -> Iterator[_Cut]:
    run: list[_Cut] = []
    for piece in cuts:
        is_tiny = piece.tokens < TINY_SECTION_TOKENS and len(piece.path) > 1
        belongs = bool(run) and piece.path[:-1] == run[0].path[:-1]
        if run and not (is_tiny and belongs):
            yield from _as_one(run, count_tokens, room)
            run = []
        if is_tiny:
            run.append(piece)
        else:
            yield piece
    if run:
        yield from _as_one(run, count_tokens, room)


def _as_one(run: Sequence[_Cut], count_tokens: CountTokens, room: int) -> Iterator[_Cut]:
    if len(run) == 1:
        yield run[0]
        return
    texts = [f"{piece.path[-1]}: {piece.text}" for piece in run]
    parts = [
        _Part("prose", text, tokens)
        for text, tokens in zip(texts, count_tokens(texts), strict=True)
    ]
    for group in _packed(parts, room):
        tokens = sum(part.tokens for part in group)
        yield _Cut(run[0].path[:-1], "\n".join(part.text for part in group), tokens)


def _head_lines(table: str) -> int:
    lines = table.split("\n", 2)
    return 2 if len(lines) > 1 and set(lines[1]) <= set("|:- \t") else 1


def _breadcrumb(title: str, path: tuple[str, ...]) -> str:
    """Return the way to a section, from the page's title down to its own heading."""
    title = title.replace(" > ", " › ")
    is_named = bool(path) and path[0].casefold() == title.casefold()
    return " > ".join(path if is_named else (title, *path))
