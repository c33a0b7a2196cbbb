"""Pages and databases of a Notion export: names that end in an id, properties above the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath

import yaml
from bs4.element import Tag

from knowledge.decoding import decode
from knowledge.html_text import parse_html
from knowledge.listing import FoundDocument, printable
from knowledge.sources.export_files import ExportFiles
from knowledge.sources.written_dates import moment_in

_PAGES = (".md", ".html")
_NAMED = re.compile(r"(?P<title>.*?)[ _-]?(?P<id>[0-9a-f]{32})(?P<all>_all)?")
_TITLE = re.compile(r"\A\s*#[ \t]+(.+?)[ \t]*$\n*", re.M)
_PROPERTY = re.compile(r"(?P<name>[^\W_][^:\n]{0,60}):(?: +(?P<value>\S.*)|[ \t]*)")
_TARGET = re.compile(r"\s*\([^()\n]*[0-9a-f]{32}[^()\n]*\)")

#: Names of properties, in lower case, for what a page says of itself; the first one counts.
_FIELDS = {
    "owner": ("owner", "owners", "responsible", "author", "created by"),
    "updated": ("last edited time", "last edited", "last updated", "updated"),
    "reviewed_until": ("review by", "next review", "review date", "expires"),
}


def is_notion(files: ExportFiles) -> bool:
    """Whether most pages of an export have names that end in an id of 32 digits."""
    pages = [PurePosixPath(name) for name in files.readers if name.endswith(_PAGES)]
    pages = [page for page in pages if page.name != "index.html"]
    return sum(_NAMED.fullmatch(page.stem) is not None for page in pages) * 2 > len(pages)


def notion_documents(files: ExportFiles, suffixes: frozenset[str]) -> Iterator[FoundDocument]:
    """Yield what can be read: pages under their id, whatever they are called and wherever they lie.

    Args:
        files: A Notion export, in Markdown or HTML.
        suffixes: The suffixes that can be read, in lower case.
    """
    for name in files.readers:
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        found = _NAMED.fullmatch(path.stem)
        if suffix not in suffixes or path.name == "index.html":
            continue
        uri, link, read = _short(path), None, partial(files.read, name)
        if suffix == ".csv" and found is not None:
            if not found["all"] and f"{name.removesuffix(path.suffix)}_all{path.suffix}" in (
                files.readers
            ):
                continue  # the rows of one view of the same database
            uri = f"{found['id']}/{found['title'] or 'Database'}{suffix}"
            link = f"https://www.notion.so/{found['id']}"
        elif suffix in _PAGES:
            title = found["title"] if found else path.stem
            if found is not None:
                uri = f"{found['id']}{suffix}"
                link = f"https://www.notion.so/{found['id']}"
            read = partial(_page, files, name, title or "Untitled")
        yield FoundDocument(printable(uri), read, link)


def _short(path: PurePosixPath) -> str:
    """Return the path of an attachment with its page's id in place of the page's name."""
    parts = [
        found["id"] if (found := _NAMED.fullmatch(part)) else part for part in path.parent.parts
    ]
    return "/".join([*parts, path.name])


def _page(files: ExportFiles, name: str, title: str) -> bytes:
    data = files.read(name)
    if name.endswith(".html"):
        return _html(data, title)
    return _markdown(decode(data), title).encode()


def _markdown(text: str, title: str) -> str:
    """Return a page with front matter, its properties as a list."""
    heading = _TITLE.match(text)
    if heading is not None:
        title, text = heading.group(1), text[heading.end() :]
    block, gap, rest = text.partition("\n\n")
    lines = [_PROPERTY.fullmatch(line.strip()) for line in block.splitlines() if line.strip()]
    properties: dict[str, str] = {}
    if lines and all(lines):
        named = [(line["name"].strip(), line["value"] or "") for line in lines if line]
        properties = {name: _TARGET.sub("", value).strip() for name, value in named}
        block = "\n".join(f"- {name}: {value}" for name, value in properties.items() if value)
    front = yaml.safe_dump(
        {"title": title, **_fields(properties)}, allow_unicode=True, sort_keys=False, width=10_000
    )
    return f"---\n{front}---\n\n# {title}\n\n{block}{gap}{rest}"


def _html(data: bytes, title: str) -> bytes:
    """Return a page whose head says who owns it and when it was changed."""
    page = parse_html(data)
    properties = {}
    for row in page.select("table.properties tr"):
        name, said = row.find("th"), row.find("td")
        if isinstance(name, Tag) and isinstance(said, Tag):
            properties[name.get_text(" ", strip=True)] = said.get_text(" ", strip=True)
    head = page.head
    if head is None:
        return data
    if page.title is None or not page.title.get_text(strip=True):
        named = page.new_tag("title")
        named.string = title
        head.append(named)
    for field, value in _fields(properties).items():
        names = {"owner": "author", "updated": "last-modified"}
        if field in names:
            head.append(page.new_tag("meta", attrs={"name": names[field], "content": value}))
    return page.encode("utf-8")


def _fields(properties: Mapping[str, str]) -> dict[str, str]:
    by_name = {name.lower(): value for name, value in properties.items() if value}
    fields: dict[str, str] = {}
    for field, names in _FIELDS.items():
        value = next((by_name[name] for name in names if name in by_name), None)
        if value is not None and field != "owner":
            value = moment_in(value)
        if value is not None:
            fields[field] = value
    return fields
