"""HTML to structured text: headings, paragraphs, lists, tables and code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}

#: What frames a page without being part of it.
_FRAME = (
    "script style noscript template svg nav form iframe button select head aside footer".split()
)

_BLOCKS = frozenset(
    """
    address article blockquote body center dd details div dl dt fieldset figcaption figure header
    hr html main p section summary caption tbody td tfoot th thead tr
    """.split()
)

#: A table whose cells are longer, in characters, arranges a page instead of holding data.
_LONGEST_CELL = 600

_SPACE = re.compile(r"\s+")

#: Stands for `<br>` until a block is put together: two in a row end a paragraph.
_BREAK = "\x0b"
_BREAKS = re.compile(rf"(?:\s*{_BREAK}){{2,}}")


def parse_html(data: bytes | str) -> BeautifulSoup:
    """Parse a page; the encoding of bytes is found from its own declaration, or from them."""
    return BeautifulSoup(data, "html.parser")


def html_fields(page: BeautifulSoup) -> dict[str, str]:
    """Return what a page says of itself: `title`, `owner` and `updated`, where it does."""
    fields = {}
    if page.title is not None and page.title.get_text(strip=True):
        fields["title"] = _SPACE.sub(" ", page.title.get_text(" ", strip=True))
    for field, names in (
        ("owner", ("author", "owner")),
        ("updated", ("article:modified_time", "last-modified", "dcterms.modified")),
    ):
        for name in names:
            found = page.find("meta", attrs={"name": name}) or page.find(
                "meta", attrs={"property": name}
            )
            if isinstance(found, Tag) and found.get("content"):
                fields.setdefault(field, str(found["content"]).strip())
    return fields


def html_text(page: BeautifulSoup) -> str:
    """Return the readable part of a page as Markdown: its `main` or `article` if it has one.

    Raises:
        RecursionError: the page is nested deeper than any page that people read.
    """
    for frame in page.find_all(_FRAME):
        frame.decompose()
    body = page.find("main") or page.find("article") or page.body or page
    blocks = (block.strip() for block in _blocks(body))
    return "\n\n".join(block for block in blocks if block)


def _blocks(element: PageElement) -> Iterator[str]:
    """Yield the blocks of an element; text that stands between blocks is a paragraph."""
    if not isinstance(element, Tag):
        return
    loose: list[str] = []
    for child in element.children:
        if isinstance(child, Tag) and _is_block(child):
            yield from _paragraphs(loose)
            loose = []
            yield from _block(child)
        else:
            loose += _inline(child)
    yield from _paragraphs(loose)


def _is_block(tag: Tag) -> bool:
    return (
        tag.name in _BLOCKS
        or tag.name in _HEADINGS
        or tag.name in ("ul", "ol", "table", "pre")
        or any(isinstance(child, Tag) and _is_block(child) for child in tag.children)
    )


def _block(tag: Tag) -> Iterator[str]:
    if tag.name in _HEADINGS:
        yield f"{_HEADINGS[tag.name]} {_squeezed([tag.get_text(' ')])}"
    elif tag.name in ("ul", "ol"):
        yield "\n".join(_items(tag, 0))
    elif tag.name == "table":
        is_layout = any(len(cell.get_text()) > _LONGEST_CELL for cell in tag.find_all(["td", "th"]))
        yield from _blocks(tag) if is_layout else ["\n".join(_rows(tag))]
    elif tag.name == "pre":
        code = tag.get_text().strip("\n")
        yield f"```\n{code}\n```" if code.strip() else ""
    else:
        yield from _blocks(tag)


def _items(tag: Tag, depth: int) -> Iterator[str]:
    for number, item in enumerate(tag.find_all("li", recursive=False), start=1):
        nested = item.find_all(["ul", "ol"])
        inner = [inner for inner in nested if inner.find_parent("li") is item]
        for each in inner:
            each.extract()
        mark = f"{number}." if tag.name == "ol" else "-"
        text = _squeezed([item.get_text(" ")])
        if text:
            yield f"{'  ' * depth}{mark} {text}"
        for each in inner:
            yield from _items(each, depth + 1)


def _rows(table: Tag) -> Iterator[str]:
    for number, row in enumerate(table.find_all("tr")):
        cells = [
            _squeezed([cell.get_text(" ")]).replace("|", "/") for cell in row.find_all(["td", "th"])
        ]
        if any(cells):
            yield f"| {' | '.join(cells)} |"
            if number == 0:
                yield f"|{' --- |' * len(cells)}"


def _inline(element: PageElement) -> Iterator[str]:
    if isinstance(element, Tag):
        if element.name == "br":
            yield _BREAK
        for child in element.children:
            yield from _inline(child)
    elif isinstance(element, NavigableString) and not isinstance(element, PreformattedString):
        yield str(element)  # a comment or declaration is preformatted, and nobody's text


def _paragraphs(texts: list[str]) -> Iterator[str]:
    for paragraph in _BREAKS.split("".join(texts)):
        yield _squeezed([paragraph])


def _squeezed(texts: list[str]) -> str:
    return _SPACE.sub(" ", "".join(texts)).strip()
