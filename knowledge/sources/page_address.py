"""The addresses of a website's pages: one way of writing each, and its name as a document."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from knowledge.listing import printable
from knowledge.sources.web_address import AllowedHost, FetchRefused, take_apart

#: Longer addresses lead round in circles.
_LONGEST = 2000

_HTML = frozenset((".html", ".htm", ".xhtml"))
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_TRACKING = re.compile(r"(?:utm_\w+|gclid|fbclid|mc_[ce]id|_ga)(?:=|$)")

#: What belongs to pages without being one.
_ASSETS = frozenset(("image", "audio", "video", "font"))
_ASSET_TYPES = frozenset(("text/css", "text/javascript", "application/javascript"))


@dataclass(frozen=True)
class Scope:
    """The part of the web that is one source: what lies below a page, on some hosts."""

    start: str
    hosts: frozenset[str]
    #: Beginning and end with a slash, or the one page itself.
    folder: str
    page: str

    def __contains__(self, url: object) -> bool:
        parts = urlsplit(str(url))
        path = parts.path
        return parts.netloc in self.hosts and (path == self.page or path.startswith(self.folder))


def scope_of(start_url: str, allowed: Collection[AllowedHost]) -> Scope:
    """Return what belongs to the website that begins at a page.

    Raises:
        FetchRefused: the address is none, or its host is not allowed.
    """
    start = normalised(start_url)
    _, host, port, _ = take_apart(start)
    if not any(each.host == host and each.port in (None, port) for each in allowed):
        raise FetchRefused(f"{host} is not one of the hosts that are allowed")
    page = urlsplit(start).path
    last = page.rpartition("/")[2]
    folder = page.removesuffix(last) if "." in last else f"{page.rstrip('/')}/"
    hosts = {urlsplit(start).netloc}
    for each in allowed:
        shown = f"[{each.host}]" if ":" in each.host else each.host
        hosts.add(shown if each.port in (None, 80, 443) else f"{shown}:{each.port}")
    return Scope(start, frozenset(hosts), folder, page)


def normalised(url: str, base: str = "") -> str:
    """Return an address in the one way it is written here: absolute, without a fragment.

    Host in lower case, no port that goes without saying, no `..`, escapes only where needed, no
    parameters that only count visits.

    Raises:
        FetchRefused: it is no web address.
    """
    try:
        absolute = urldefrag(urljoin(base, url.strip())).url
    except ValueError as error:
        raise FetchRefused("it is not a web address") from error
    if len(absolute) > _LONGEST:
        raise FetchRefused("its address is too long")
    scheme, host, port, target = take_apart(absolute)
    shown = f"[{host}]" if ":" in host else host
    if port != {"http": 80, "https": 443}[scheme]:
        shown = f"{shown}:{port}"
    path, _, query = _ESCAPE.sub(_escape, target).partition("?")
    kept = "&".join(each for each in query.split("&") if each and not _TRACKING.match(each))
    return f"{scheme}://{shown}{_without_dots(path)}{'?' if kept else ''}{kept}"


def linked(url: str, page: str, scope: Scope) -> str | None:
    """Return the normalised address of a link on a page, or None if it leads elsewhere."""
    try:
        found = normalised(url, page)
    except FetchRefused:
        return None
    start = urlsplit(scope.start)
    if start.scheme == "https" and found.startswith(f"http://{start.netloc}/"):
        found = f"https{found.removeprefix('http')}"
    return found if found in scope else None


def may_be_page(url: str, suffixes: frozenset[str]) -> bool:
    """Whether a page may be at an address, as far as its ending shows; pictures are none."""
    guessed = mimetypes.guess_type(urlsplit(url).path)[0]
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return guessed is None or suffix in suffixes or guessed in _HTML_TYPES


def is_asset(url: str) -> bool:
    """Whether an address is a picture, a style sheet or the like."""
    guessed = mimetypes.guess_type(urlsplit(url).path)[0] or ""
    return guessed.partition("/")[0] in _ASSETS or guessed in _ASSET_TYPES


def ending(url: str, media_type: str, suffixes: frozenset[str]) -> str | None:
    """Return the ending under which a page can be read, or None if it cannot be.

    Args:
        url: Its address; its own ending counts where the type leaves a choice.
        media_type: What its host says that it is, in lower case; may be empty.
        suffixes: The endings that can be read.
    """
    own = PurePosixPath(urlsplit(url).path).suffix.lower()
    if media_type in _HTML_TYPES or not (media_type or own):
        suffix = own if own in _HTML else ".html"
    elif own in suffixes - _HTML and media_type != "application/pdf":
        suffix = own
    elif media_type == "text/plain":
        suffix = ".txt"
    elif media_type:
        suffix = mimetypes.guess_extension(media_type) or ""
    else:
        suffix = own
    return suffix if suffix in suffixes else None


def uri_of(url: str, suffix: str, scope: Scope) -> str:
    """Return the name of a page as a document: host if it is another, path, query, ending."""
    parts = urlsplit(url)
    path = f"{parts.path}index" if parts.path.endswith("/") else parts.path
    name = f"{path}?{parts.query}" if parts.query else path
    if not name.lower().endswith(suffix):
        name += suffix
    readable = unquote(name)
    if "\ufffd" in readable:  # it is not UTF-8
        readable = name
    is_elsewhere = parts.netloc != urlsplit(scope.start).netloc
    return printable(f"{parts.netloc}{readable}" if is_elsewhere else readable.lstrip("/"))


def _escape(found: re.Match[str]) -> str:
    letter = chr(int(found.group(1), 16))
    return letter if _UNRESERVED.fullmatch(letter) else found.group().upper()


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
