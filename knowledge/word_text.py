"""Word documents as Markdown: headings, lists and tables in reading order."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from knowledge.office_file import check_office_file, damage_told
from knowledge.written_text import WrittenText, heading, joined, one_line, table, without_marks

_HEADING = re.compile(r"(?:heading|overskrift) (\d)", re.IGNORECASE)


def read_word(data: bytes) -> WrittenText:
    """Read a Word document.

    Raises:
        FileUnreadable: it is none, damaged, protected by a password, or a bomb.
    """
    import docx

    fields = check_office_file(data, "Word")
    with damage_told("the document"):
        opened: Any = docx.Document(io.BytesIO(data))
        return WrittenText((joined(_blocks(opened)),), fields)


def _blocks(document: Any) -> Iterator[str]:
    items: list[str] = []
    for block in document.iter_inner_content():
        item = _list_item(block) if hasattr(block, "style") and hasattr(block, "runs") else None
        if item is not None:
            items.append(item)
            continue
        if items:
            yield "\n".join(items)
            items = []
        if hasattr(block, "rows"):
            yield table([cell.text for cell in row.cells] for row in block.rows)
        else:
            yield _paragraph(block)
    if items:
        yield "\n".join(items)


def _paragraph(paragraph: Any) -> str:
    text = one_line(paragraph.text)
    if not text:
        return ""
    style = str(paragraph.style.name if paragraph.style is not None else "")
    found = _HEADING.match(style)
    if found is not None:
        return heading(int(found.group(1)), text)
    if style.casefold() in ("title", "tittel"):
        return heading(1, text)
    return without_marks(text)


def _list_item(paragraph: Any) -> str | None:
    style = str(paragraph.style.name if paragraph.style is not None else "").casefold()
    properties = paragraph._p.pPr
    is_item = style.startswith("list") or (properties is not None and properties.numPr is not None)
    if not is_item or _HEADING.match(style) or not paragraph.text.strip():
        return None
    return f"- {one_line(paragraph.text)}"
