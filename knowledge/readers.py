"""Files to pages: one reader for each format, each giving llama-index documents.

A document is where formats meet; what the rest of the product works with is a `Page`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from knowledge.listing import FileEmpty, FileUnreadable

if TYPE_CHECKING:
    from llama_index.core import Document

    from knowledge.written_text import WrittenText

#: Turns a file's bytes into documents in reading order. Their `text` has Markdown's headings;
#: their metadata may hold `title`, `owner`, `updated` and `reviewed_until`.
Reader = Callable[[bytes], "list[Document]"]

_TITLE_HEADING = re.compile(r"^ {0,3}#[ \t]+(.+?)[ \t#]*$", re.M)
_LONGEST_TITLE = 200

_NAMES = {
    "title": ("title", "sidebar_label"),
    "owner": ("owner", "owners", "author", "authors"),
    "updated": ("updated", "last_updated", "lastmod", "last_modified", "date"),
    "reviewed_until": ("reviewed_until", "review_by", "review_date", "valid_until"),
}


@dataclass(frozen=True)
class Page:
    """A document as it was read: Markdown headings, lists, tables and code, else plain text."""

    title: str
    text: str
    owner: str | None = None
    updated_at: datetime | None = None
    reviewed_until: datetime | None = None


def read_page(data: bytes, uri: str) -> Page:
    """Read the document that a file's bytes hold.

    Args:
        data: All of the file.
        uri: Its address in the source; its ending chooses the reader, its name is the title of
            last resort.

    Raises:
        FileEmpty: nothing is written in it.
        FileUnreadable: it holds no document, or none that can be read.
    """
    reader = READERS[PurePosixPath(uri).suffix.lower()]
    try:
        documents = reader(data)
    except RecursionError as error:
        raise FileUnreadable("it is nested too deeply") from error
    text = "\n\n".join(document.text for document in documents).strip()
    if not text:
        raise FileEmpty("there is no text in it")
    fields = documents[0].metadata
    heading = _TITLE_HEADING.search(text)
    title = _line(fields.get("title")) or (heading and _line(heading.group(1))) or title_of(uri)
    return Page(
        title=title[:_LONGEST_TITLE],
        text=text,
        owner=_line(fields.get("owner")) or None,
        updated_at=_moment(fields.get("updated")),
        reviewed_until=_moment(fields.get("reviewed_until")),
    )


def read_markdown(data: bytes) -> list[Document]:
    """Read Markdown or MDX, with its YAML front matter."""
    from knowledge.markdown_text import plain_markdown, split_front_matter

    fields, text = split_front_matter(decode(data))
    return [_document(plain_markdown(text), _chosen(fields))]


def read_text(data: bytes) -> list[Document]:
    """Read plain text, as it is."""
    return [_document(decode(data), {})]


def read_html(data: bytes) -> list[Document]:
    """Read the part of a web page that people read."""
    from knowledge.html_text import html_fields, html_text, parse_html

    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileUnreadable("it is not text, whatever its name says")
    page = parse_html(data)
    fields = html_fields(page)
    return [_document(html_text(page), fields)]


def read_pdf_pages(data: bytes) -> list[Document]:
    """Read a PDF: one document a page, under the heading `Page n`."""
    from knowledge.pdf_text import read_pdf

    pdf = read_pdf(data)
    fields = _chosen(pdf.fields)
    if len(pdf.pages) == 1:
        return [_document(_without_headings(pdf.pages[0]), fields)]
    return [
        _document(f"## Page {number}\n\n{_without_headings(text)}", fields)
        for number, text in enumerate(pdf.pages, start=1)
        if text.strip() or number == 1
    ]


def read_word_file(data: bytes) -> list[Document]:
    """Read a Word document."""
    from knowledge.word_text import read_word

    return _documents(read_word(data))


def read_workbook_file(data: bytes) -> list[Document]:
    """Read an Excel workbook: each sheet as a table under its name."""
    from knowledge.sheet_text import read_workbook

    return _documents(read_workbook(data))


def read_values_file(data: bytes) -> list[Document]:
    """Read comma- or tab-separated values as a table."""
    from knowledge.sheet_text import read_values

    return _documents(read_values(decode(data)))


#: The reader for each kind of file, by its ending.
READERS: Mapping[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".mdx": read_markdown,
    ".txt": read_text,
    ".text": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf_pages,
    ".docx": read_word_file,
    ".xlsx": read_workbook_file,
    ".csv": read_values_file,
    ".tsv": read_values_file,
}

SUFFIXES = frozenset(READERS)


def decode(data: bytes) -> str:
    """Return the text that bytes hold: UTF-8, UTF-16 with its mark, or the likeliest other.

    Raises:
        FileUnreadable: they hold no text.
    """
    from bs4 import UnicodeDammit

    has_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\x00" in data[:65_536] and not has_mark:
        raise FileUnreadable("it is not text, whatever its name says")
    try:
        text: str | None = data.decode("utf-16" if has_mark else "utf-8-sig")
    except UnicodeDecodeError:
        text = UnicodeDammit(data).unicode_markup
    sample = text[:20_000] if text is not None else "\ufffd"
    if text is None or sum(map(_is_odd, sample)) > 0.02 * len(sample):
        raise FileUnreadable("it is not text, or in an unknown encoding")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _is_odd(letter: str) -> bool:
    is_control = unicodedata.category(letter) == "Cc" and letter not in "\t\n\r\f"
    return is_control or letter == "\ufffd"


def title_of(uri: str) -> str:
    """Return a title made of a file's name; of its folder's for an index or read-me file."""
    path = PurePosixPath(uri)
    name = path.stem
    if name.lower() in ("index", "readme", "_index") and path.parent.name:
        name = path.parent.name
    words = re.sub(r"[-_\s]+", " ", name).strip()
    return words[:1].upper() + words[1:] if words else uri


def _document(text: str, fields: Mapping[str, object]) -> Document:
    from llama_index.core import Document

    return Document(text=text, metadata=dict(fields))


def _documents(written: WrittenText) -> list[Document]:
    fields = _chosen(written.fields)
    return [_document(part, fields) for part in written.parts] or [_document("", fields)]


def _chosen(fields: Mapping[str, object]) -> dict[str, object]:
    """Keep what is known by one of its usual names."""
    chosen: dict[str, object] = {}
    for field, names in _NAMES.items():
        value = next((fields[name] for name in names if fields.get(name) is not None), None)
        if isinstance(value, list):
            value = ", ".join(str(each) for each in value[:5] if isinstance(each, str))
        if isinstance(value, datetime | date):
            value = value.isoformat()
        if isinstance(value, str | int | float):
            chosen[field] = str(value)
    return chosen


def _line(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _without_headings(text: str) -> str:
    """Keep a line of a PDF that begins with `#` from being taken for a heading."""
    return re.sub(r"^(\s*)(#+\s)", r"\1\\\2", text, flags=re.M)
