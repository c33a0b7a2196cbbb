"""Pages and attachments of a Confluence space that was exported as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import unquote

from bs4 import BeautifulSoup

from knowledge.html_text import parse_html
from knowledge.listing import FileUnreadable, FoundDocument, printable
from knowledge.sources.export_files import ExportFiles
from knowledge.sources.written_dates import moment_in

_PAGE = re.compile(r"(?:.*_)?(?P<id>\d+)")
_MARK = re.compile(rb"Confluence", re.I)
_DATE = re.compile(r"([A-Z][a-z]{2,8} \d{1,2}, \d{4}|\d{1,2} [A-Z][a-z]{2,8} \d{4})")
_AUTHOR = re.compile(r"Created by\s+(.+?)(?:,\s+last\s|\s+on\s+[A-Z0-9]|$)", re.S)
_NOT_A_NAME = re.compile(r"\s*\((?:Unlicensed|Deactivated)\)\s*$", re.I)
_ATTACHED = re.compile(r'href="(attachments/[^"?]+)[^"]*"[^>]*>([^<]+)</a>')

#: What Confluence adds to the text of a page.
_NOISE = (
    ".toc-macro", ".expand-control", ".page-metadata", "#breadcrumb-section", "#footer",
    ".confluence-embedded-file-wrapper .title", ".hidden-xs",
)  # fmt: skip


def is_confluence(files: ExportFiles) -> bool:
    """Whether numbered pages lie beside an index that Confluence wrote."""
    for name in files.readers:
        if PurePosixPath(name).name == "index.html":
            folder = PurePosixPath(name).parent
            has_pages = any(
                PurePosixPath(each).parent == folder and _is_page(each) for each in files.readers
            )
            if has_pages and _is_marked(files, name):
                return True
    return False


def confluence_documents(files: ExportFiles, suffixes: frozenset[str]) -> Iterator[FoundDocument]:
    """Yield pages, under their number, and the attachments that can be read, under their name.

    Args:
        files: A Confluence export as HTML.
        suffixes: The suffixes that can be read, in lower case.
    """
    names = _names_of_attachments(files, suffixes)
    taken: set[str] = set()
    for name in files.readers:
        path = PurePosixPath(name)
        if path.suffix.lower() not in suffixes or path.name == "index.html":
            continue
        read = partial(files.read, name)
        uri = name
        if _is_page(name):
            number = _PAGE.fullmatch(path.stem)
            uri = str(path.parent / f"{number['id'] if number else path.stem}.html")
            read = partial(_page, files, name)
        elif name in names:
            uri = str(path.parent / names[name])
        if uri in taken:
            uri = name
        taken.add(uri)
        yield FoundDocument(printable(uri), read)


def _is_page(name: str) -> bool:
    path = PurePosixPath(name)
    is_html = path.suffix == ".html" and "attachments" not in path.parts
    return is_html and _PAGE.fullmatch(path.stem) is not None


def _is_marked(files: ExportFiles, index: str) -> bool:
    try:
        return _MARK.search(files.read(index)) is not None
    except FileUnreadable:
        return False


def _names_of_attachments(files: ExportFiles, suffixes: frozenset[str]) -> Mapping[str, str]:
    """Return the names that people gave to attachments, which lie under numbers."""
    wanted = {
        name
        for name in files.readers
        if "attachments" in PurePosixPath(name).parts
        and PurePosixPath(name).suffix.lower() in suffixes
    }
    names: dict[str, str] = {}
    for name in files.readers if wanted else ():
        if not _is_page(name):
            continue
        try:
            text = files.read(name).decode("utf-8", "replace")
        except FileUnreadable:
            continue  # it says so itself when it is read as a page
        for target, label in _ATTACHED.findall(text):
            attached = str(PurePosixPath(name).parent / unquote(html.unescape(target)))
            given = html.unescape(label).strip().replace("/", "-")
            if attached in wanted and PurePosixPath(given).suffix == PurePosixPath(attached).suffix:
                names[attached] = given
    return names


def _page(files: ExportFiles, name: str) -> bytes:
    """Return a page with its title, owner and last change in its head, and nothing but its text."""
    data = files.read(name)
    page = parse_html(data)
    content = page.select_one("#main-content") or page.select_one(".wiki-content")
    if content is None:
        return data
    title = _title(page, PurePosixPath(name).stem)
    meta = page.select_one(".page-metadata")
    said = " ".join(meta.get_text(" ").split()) if meta is not None else ""
    head = [f"<title>{html.escape(title)}</title>"]
    if owner := _owner(page, said):
        head.append(f'<meta name="author" content="{html.escape(owner)}">')
    dates = _DATE.findall(said)
    if updated := (moment_in(dates[-1]) if dates else None):
        head.append(f'<meta name="last-modified" content="{updated}">')
    for noise in content.select(",".join(_NOISE)):
        noise.decompose()
    return (
        f'<html><head><meta charset="utf-8">{"".join(head)}</head>'
        f"<body><h1>{html.escape(title)}</h1>\n{content.decode()}</body></html>"
    ).encode()


def _title(page: BeautifulSoup, stem: str) -> str:
    """Return a page's title without the name of its space."""
    shown = page.select_one("#title-text") or page.select_one("#title-heading") or page.title
    title = " ".join(shown.get_text(" ").split()) if shown is not None else ""
    space = page.select_one("#breadcrumbs li, #breadcrumb-section li")
    prefix = f"{' '.join(space.get_text(' ').split())} : " if space is not None else ""
    if prefix and title.startswith(prefix):
        title = title.removeprefix(prefix)
    elif not prefix:
        title = title.rpartition(" : ")[2]
    return title.strip() or stem.rpartition("_")[0].replace("-", " ") or stem


def _owner(page: BeautifulSoup, said: str) -> str:
    author = page.select_one(".page-metadata .author")
    if author is not None:
        name = " ".join(author.get_text(" ").split())
    else:
        found = _AUTHOR.search(said)
        name = found.group(1).strip() if found else ""
    return _NOT_A_NAME.sub("", name)
