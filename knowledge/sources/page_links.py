"""Where a page leads, and what a sitemap lists."""

from __future__ import annotations

import codecs
import re
from html import unescape

from bs4 import BeautifulSoup
from bs4.element import Tag
from bs4.filter import SoupStrainer

from knowledge.sources.page_address import Scope, linked, normalised
from knowledge.sources.page_cache import CachedPage
from knowledge.sources.safe_fetch import Fetched
from knowledge.sources.web_address import FetchRefused

# A sitemap is flat: reading it needs no XML parser, and none of what hostile XML does to one.
_PLACE = re.compile(rb"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]]+?)\s*(?:\]\]>)?\s*</loc>", re.I)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)


def links_of(page: CachedPage, scope: Scope) -> tuple[str | None, list[str]]:
    """Return the address that a page gives itself, if it is another, and where it links to."""
    soup = BeautifulSoup(page.body, "html.parser", parse_only=SoupStrainer(["a", "base", "link"]))
    base = page.url
    canonical = None
    links: list[str] = []
    for tag in soup.find_all(["a", "base", "link"]):
        target = tag.get("href") if isinstance(tag, Tag) else None
        if not isinstance(target, str):
            continue
        if tag.name == "base":
            try:
                base = normalised(target, page.url)
            except FetchRefused:
                continue
        elif tag.name == "link":
            relation = tag.get("rel")
            if "canonical" in (relation if isinstance(relation, list) else [relation]):
                canonical = linked(target, base, scope)
        elif (found := linked(target, base, scope)) is not None:
            links.append(found)
    # That all pages are the first one is a mistake that many sites make.
    is_other = canonical not in (None, page.url, scope.start)
    return (canonical if is_other else None), links


def in_utf8(fetched: Fetched) -> bytes:
    """Return a text in UTF-8, with its mark, if its host says which encoding it is in."""
    named = _CHARSET.search(fetched.headers.get("content-type", ""))
    if named is None or fetched.body.startswith((codecs.BOM_UTF8, b"\xff\xfe", b"\xfe\xff")):
        return fetched.body
    try:
        text = fetched.body.decode(named.group(1), "replace")
    except LookupError:
        return fetched.body
    return codecs.BOM_UTF8 + text.encode()


def places_of(sitemap: bytes) -> list[str]:
    """Return the addresses that a sitemap lists."""
    return [unescape(place.decode("utf-8", "replace")) for place in _PLACE.findall(sitemap)]
