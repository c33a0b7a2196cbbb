"""Files to pages: one reader for each format, and the page that the rest of the product works with.

A reader may hang, crash or ask for more memory than there is: `knowledge.parsing` runs those of
risky formats in a process of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import PurePosixPath

from knowledge.decoding import decode
from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.written_text import MOST_CHARACTERS, WrittenText

#: Turns a file's bytes into Markdown, and what the file says of itself. Raises `FileUnreadable`.
Reader = Callable[[bytes], WrittenText]

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
        written = reader(data)
    except RecursionError as error:
        raise FileUnreadable("it is nested too deeply") from error
    text = "\n\n".join(written.parts).strip()
    if not text:
        raise FileEmpty("there is no text in it")
    if len(text) > MOST_CHARACTERS:
        raise FileUnreadable(f"it has more than {MOST_CHARACTERS:,} characters: data, not a page")
    fields = _chosen(written.fields)
    heading = _TITLE_HEADING.search(text)
    title = _line(fields.get("title")) or (heading and _line(heading.group(1))) or title_of(uri)
    return Page(
        title=title[:_LONGEST_TITLE],
        text=text,
        owner=_line(fields.get("owner")) or None,
        updated_at=_moment(fields.get("updated")),
        reviewed_until=_moment(fields.get("reviewed_until")),
    )


def read_markdown(data: bytes) -> WrittenText:
    """Read Markdown, with its YAML front matter."""
    from knowledge.markdown_text import plain_markdown, split_front_matter

    fields, text = split_front_matter(decode(data))
    return WrittenText((plain_markdown(text),), fields)


def read_mdx(data: bytes) -> WrittenText:
    """Read Markdown with components in it, with its YAML front matter."""
    from knowledge.markdown_text import plain_markdown, split_front_matter
    from knowledge.mdx_text import without_components

    fields, text = split_front_matter(decode(data))
    return WrittenText((plain_markdown(without_components(text)),), fields)


def read_text(data: bytes) -> WrittenText:
    """Read plain text, as it is."""
    return WrittenText((decode(data),))


def read_html(data: bytes) -> WrittenText:
    """Read the part of a web page that people read."""
    from knowledge.html_text import html_fields, html_text, parse_html

    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileUnreadable("it is not text, whatever its name says")
    page = parse_html(data)
    fields = html_fields(page)
    return WrittenText((html_text(page),), fields)


def read_pdf_pages(data: bytes) -> WrittenText:
    """Read a PDF: each page under the heading `Page n`."""
    from knowledge.pdf_text import read_pdf

    pdf = read_pdf(data)
    if len(pdf.pages) == 1:
        return WrittenText((_without_headings(pdf.pages[0]),), pdf.fields)
    parts = tuple(
        f"## Page {number}\n\n{_without_headings(text)}"
        for number, text in enumerate(pdf.pages, start=1)
        if text.strip()
    )
    return WrittenText(parts, pdf.fields)


def read_word_file(data: bytes) -> WrittenText:
    """Read a Word document."""
    from knowledge.word_text import read_word

    return read_word(data)


def read_workbook_file(data: bytes) -> WrittenText:
    """Read an Excel workbook: each sheet as a table under its name."""
    from knowledge.sheet_text import read_workbook

    return read_workbook(data)


def read_values_file(data: bytes) -> WrittenText:
    """Read comma- or tab-separated values as a table."""
    from knowledge.sheet_text import read_values

    return read_values(decode(data))


def read_slides_file(data: bytes) -> WrittenText:
    """Read a PowerPoint presentation: each slide under its title."""
    from knowledge.slides_text import read_slides

    return read_slides(data)


def read_email_file(data: bytes) -> WrittenText:
    """Read an email."""
    from knowledge.mail_text import read_email

    return read_email(data)


def read_outlook_file(data: bytes) -> WrittenText:
    """Read a message that Outlook saved."""
    from knowledge.mail_text import read_outlook

    return read_outlook(data)


#: The reader for each kind of file, by its ending.
READERS: Mapping[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".mdx": read_mdx,
    ".txt": read_text,
    ".text": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf_pages,
    ".docx": read_word_file,
    ".xlsx": read_workbook_file,
    ".xlsm": read_workbook_file,
    ".pptx": read_slides_file,
    ".pptm": read_slides_file,
    ".eml": read_email_file,
    ".msg": read_outlook_file,
    ".csv": read_values_file,
    ".tsv": read_values_file,
}

SUFFIXES = frozenset(READERS)


def title_of(uri: str) -> str:
    """Return a title made of a file's name; of its folder's for an index or read-me file."""
    path = PurePosixPath(uri)
    name = path.stem
    if name.lower() in ("index", "readme", "_index") and path.parent.name:
        name = path.parent.name
    words = re.sub(r"[-_\s]+", " ", name).strip()
    return words[:1].upper() + words[1:] if words else uri


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
