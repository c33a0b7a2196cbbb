"""A website as a source: the pages that can be reached from one page, and lie below it.

One request at a time, as the site's robots.txt allows. What could not be fetched for a reason that
may pass leaves the listing incomplete, so that no page is taken for gone.
"""

from __future__ import annotations

import hashlib
import logging
import time
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from knowledge.listing import (
    FileUnreadable,
    FoundDocument,
    Listing,
    Skipped,
    SourceMissing,
    printable,
)
from knowledge.sources.crawl_limits import CrawlLimits
from knowledge.sources.page_address import (
    Scope,
    ending,
    is_asset,
    linked,
    may_be_page,
    normalised,
    scope_of,
    uri_of,
)
from knowledge.sources.page_cache import CachedPage, PageCache
from knowledge.sources.page_links import in_utf8, links_of, places_of
from knowledge.sources.robots import AGENT, Robots
from knowledge.sources.safe_fetch import (
    Fetched,
    FetchFailed,
    Resolve,
    SafeFetcher,
    TooLarge,
    unpack,
)
from knowledge.sources.web_address import AllowedHost, FetchRefused

log = logging.getLogger(__name__)

#: As many failures in a row mean that the site is down, and is left alone.
_MOST_FAILURES = 5

_MOST_SITEMAPS = 50

_WITH_LINKS = (".html", ".htm", ".xhtml")


@dataclass(frozen=True)
class _Page:
    url: str
    uri: str
    digest: str
    canonical: str | None = None
    unreadable: str = ""


class _CrawlEnded(Exception):
    """The rest is left for another time; the message says why."""


def list_website(
    start_url: str,
    allowed_hosts: Collection[AllowedHost],
    suffixes: frozenset[str],
    cache_folder: Path,
    *,
    limits: CrawlLimits | None = None,
    resolve: Resolve | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Listing:
    """Fetch the pages of a website and list them.

    Scripts on pages are not run: a site that is only built in a browser has no pages here.

    Args:
        start_url: The first page. Pages below it, on the hosts that are allowed, are listed.
        allowed_hosts: The only hosts that anything is fetched from.
        suffixes: The suffixes that can be read, in lower case (`.html`).
        cache_folder: Where fetched pages are kept between syncs; this function's own, and used
            for one website.
        limits: How far to go.
        resolve: Finds the addresses of a host; the system's resolver by default.
        wait: Waits for some seconds.

    Raises:
        SourceMissing: the first page cannot be fetched, or may not be.
    """
    try:
        scope = scope_of(start_url, allowed_hosts)
    except FetchRefused as error:
        raise SourceMissing(
            f"This website cannot be a source: {error}. Give the whole address of a page, without "
            "a password, and name its host in the settings, under [knowledge] as `website_hosts`."
        ) from error
    bounds = limits or CrawlLimits()
    fetcher = SafeFetcher(
        allowed_hosts,
        largest=bounds.page_bytes,
        seconds=bounds.page_seconds,
        resolve=resolve,
        user_agent=f"{AGENT} (document sync)",
    )
    crawl = _Crawl(scope, suffixes, fetcher, Robots(fetcher), PageCache(cache_folder), bounds, wait)
    listing = crawl.run()
    log.info(
        "website listed url=%r documents=%d skipped=%d complete=%s",
        scope.start,
        len(listing.documents),
        len(listing.skipped),
        listing.is_complete,
    )
    return listing


@dataclass
class _Crawl:
    scope: Scope
    suffixes: frozenset[str]
    fetcher: SafeFetcher
    robots: Robots
    cache: PageCache
    limits: CrawlLimits
    wait: Callable[[float], None]
    queue: deque[tuple[str, int]] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    pages: dict[str, _Page] = field(default_factory=dict)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    is_complete: bool = True
    asked: int = 0
    taken: int = 0
    failures: int = 0
    started: float = field(default_factory=time.monotonic)

    def run(self) -> Listing:
        start = self.scope.start
        if not self.robots.allow(start):
            reason = next(iter(self.robots.failed.values()), "it asks not to read this page")
            raise SourceMissing(f"{start} is not read because of the host's robots.txt: {reason}.")
        self._enqueue(start, 0)
        if self.queue:
            self._visit(*self.queue.popleft())
        if not self.pages and not self.queue:
            reason = next((each.reason for each in self.skipped.values()), "there is no page")
            raise SourceMissing(f"{start} cannot be read: {reason}.")
        try:
            for url in self._sitemap():
                self._enqueue(url, 0)
            while self.queue:
                self._visit(*self.queue.popleft())
        except _CrawlEnded as ended:
            self._skip(".", f"{ended}; the rest of the pages was not looked at")
            self.is_complete = False
        for address, reason in self.robots.failed.items():
            self._skip(address, reason)
            self.is_complete = False
        chosen = self._chosen()
        if self.is_complete:
            self.cache.forget_others(self.pages)
        return Listing(
            start,
            tuple(FoundDocument(page.uri, self._reader(page), page.url) for page in chosen),
            tuple(self.skipped.values()),
            self.is_complete,
        )

    def _enqueue(self, url: str, depth: int) -> None:
        if url in self.seen or depth > self.limits.depth or is_asset(url):
            return
        self.seen.add(url)
        if not may_be_page(url, self.suffixes):
            self._skip(url, "pages of this kind cannot be read")
        elif self.robots.allow(url):
            self.queue.append((url, depth))
        else:
            self._skip(url, "robots.txt asks not to read it")

    def _visit(self, url: str, depth: int) -> None:
        known = self.cache.find(url)
        try:
            fetched = self._fetch(url, known)
        except FetchRefused as refused:
            self._doubt(url, str(refused), known)
            return
        except TooLarge as large:
            self._too_large(large)
            return
        except FetchFailed as failed:
            self._fail(url, str(failed))
            return
        if fetched.may_pass:
            self._fail(url, f"its host answered {fetched.status}")
            return
        self.failures = 0
        here = normalised(fetched.url)
        if fetched.status in (404, 410):
            self.cache.forget(url)
        elif fetched.status == 304 and known is not None:
            self._take(known, depth)
        elif fetched.status != 200:
            self._doubt(url, f"its host answered {fetched.status}", known)
        else:
            if here != url:
                if known is not None and not fetched.is_moved_for_good:
                    self._doubt(url, "it redirects for the time being", known)
                if here in self.seen:
                    return
                self.seen.add(here)
            self._take(self._kept(here, fetched), depth)

    def _fetch(self, url: str, known: CachedPage | None = None) -> Fetched:
        if self.asked >= self.limits.pages:
            raise _CrawlEnded(f"the site has more than {self.limits.pages:,} pages")
        if time.monotonic() - self.started > self.limits.seconds:
            raise _CrawlEnded(f"the site took longer than {self.limits.seconds:g} seconds")
        if self.taken > self.limits.all_bytes:
            raise _CrawlEnded(f"the site is larger than {self.limits.all_bytes // 1024**2} MB")
        self._pause(url)
        self.asked += 1
        follow = partial(self._may_follow, url)
        fetched = self.fetcher.fetch(url, known.conditions if known else None, follow=follow)
        if fetched.status == 304 and (known is None or normalised(fetched.url) != url):
            # Another page than the one that was asked about says that it has not changed.
            self._pause(url)
            fetched = self.fetcher.fetch(url, follow=follow)
        self.taken += len(fetched.body)
        return fetched

    def _pause(self, url: str) -> None:
        self.wait(max(self.limits.delay, self.robots.delay(url)))

    def _may_follow(self, url: str, target: str) -> bool:
        there = linked(target, url, self.scope)
        return there is not None and self.robots.allow(there)

    def _kept(self, url: str, fetched: Fetched) -> CachedPage:
        body = in_utf8(fetched) if fetched.media_type.startswith("text/") else fetched.body
        page = CachedPage(
            url=url,
            media_type=fetched.media_type,
            etag=fetched.headers.get("etag", ""),
            last_modified=fetched.headers.get("last-modified", ""),
            body=body,
        )
        self.cache.keep(page)
        return page

    def _take(self, page: CachedPage, depth: int) -> None:
        """Note a page as a document, and its links as pages to come."""
        suffix = ending(page.url, page.media_type, self.suffixes)
        if suffix is None:
            self._skip(page.url, f"pages of the type {page.media_type[:60]!r} cannot be read")
            self.cache.forget(page.url)
            return
        canonical = None
        if suffix in _WITH_LINKS:
            canonical, links = links_of(page, self.scope)
            for link in [canonical] if canonical else []:
                self._enqueue(link, depth)
            for link in links:
                self._enqueue(link, depth + 1)
        self.pages[page.url] = _Page(
            url=page.url,
            uri=uri_of(page.url, suffix, self.scope),
            digest=hashlib.sha256(page.body).hexdigest(),
            canonical=canonical,
        )

    def _too_large(self, large: TooLarge) -> None:
        url = normalised(large.url)
        suffix = ending(url, large.media_type, self.suffixes)
        self.failures = 0
        if suffix is None:
            self._skip(url, str(large))
        elif suffix in _WITH_LINKS:
            self._skip(url, str(large))
            self.is_complete = False  # what it links to is not known
        else:
            self.seen.add(url)
            uri = uri_of(url, suffix, self.scope)
            self.pages[url] = _Page(url, uri, digest=url, unreadable=str(large))

    def _fail(self, url: str, reason: str) -> None:
        self._skip(url, reason)
        self.is_complete = False
        self.failures += 1
        if self.failures >= _MOST_FAILURES:
            raise _CrawlEnded(f"{self.failures} pages in a row could not be fetched")

    def _doubt(self, url: str, reason: str, known: CachedPage | None) -> None:
        """Pass over a page. One that was there last time is only believed gone the next time."""
        self._skip(url, reason)
        if known is not None:
            self.is_complete = False
            self.cache.forget(url)

    def _skip(self, url: str, reason: str) -> None:
        self.skipped[url] = Skipped(printable(url), reason)

    def _chosen(self) -> list[_Page]:
        """Return the pages without those that are another's double."""
        by_content: dict[str, _Page] = {}
        for page in sorted(self.pages.values(), key=lambda page: (len(page.url), page.url)):
            named = self.pages.get(page.canonical or "")
            if named is not None and named.canonical is None:
                continue
            by_content.setdefault(page.digest, page)
        by_uri: dict[str, _Page] = {}
        for page in by_content.values():
            if by_uri.setdefault(page.uri, page) is not page:
                self._skip(page.url, f"{by_uri[page.uri].url} has the same name")
        return list(by_uri.values())

    def _reader(self, page: _Page) -> Callable[[], bytes]:
        if page.unreadable:
            return partial(_refuse, page.unreadable)
        return partial(self.cache.read, page.url)

    def _sitemap(self) -> Iterator[str]:
        """Yield the pages that the site's own lists name."""
        origin = _origin(self.scope.start)
        waiting = deque([f"{origin}/sitemap.xml", *self.robots.sitemaps(origin)])
        read: set[str] = set()
        while waiting and len(read) < _MOST_SITEMAPS:
            try:
                url = normalised(waiting.popleft(), origin)
            except FetchRefused:
                continue
            if url in read or _origin(url) != origin:
                continue
            read.add(url)
            for place in self._places(url):
                if place.endswith((".xml", ".xml.gz")):
                    waiting.append(place)
                elif found := linked(place, self.scope.start, self.scope):
                    yield found

    def _places(self, sitemap: str) -> list[str]:
        try:
            self._pause(sitemap)
            fetched = self.fetcher.fetch(sitemap)
            body = fetched.body
            if body.startswith(b"\x1f\x8b"):
                body = b"".join(unpack([body], self.limits.page_bytes))
        except FetchRefused:
            return []
        except (FetchFailed, zlib.error) as failed:
            self._fail(sitemap, str(failed))
            return []
        if fetched.may_pass:
            self._fail(sitemap, f"its host answered {fetched.status}")
        if fetched.status != 200:
            return []
        return places_of(body)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _refuse(reason: str) -> bytes:
    raise FileUnreadable(reason)
