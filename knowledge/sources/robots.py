"""What the hosts of a website let crawlers read."""

from __future__ import annotations

from urllib.parse import urlsplit

from protego import Protego

from knowledge.sources.safe_fetch import FetchFailed, SafeFetcher
from knowledge.sources.web_address import FetchRefused

#: The name by which robots.txt may speak to this crawler.
AGENT = "Skredder"

#: More of a robots.txt, in bytes, is not read; RFC 9309 asks for 500 KB at least.
_LONGEST = 512_000


class Robots:
    """The robots.txt of each host, read when it is first asked for.

    Without one everything may be read; nothing may while it cannot be fetched (RFC 9309, 2.3.1).
    """

    def __init__(self, fetcher: SafeFetcher) -> None:
        """Take what fetches them."""
        self._fetcher = fetcher
        self._rules: dict[str, Protego] = {}
        #: Why a robots.txt could not be fetched, by its address.
        self.failed: dict[str, str] = {}

    def allow(self, url: str) -> bool:
        """Whether a page may be read."""
        return bool(self._of(url).can_fetch(url, AGENT))

    def delay(self, url: str) -> float:
        """Return the seconds between two requests that a host asks for."""
        return float(self._of(url).crawl_delay(AGENT) or 0.0)

    def sitemaps(self, url: str) -> list[str]:
        """Return the addresses of the sitemaps that a page's host names."""
        return list(self._of(url).sitemaps)

    def _of(self, url: str) -> Protego:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = Protego.parse(self._text(f"{origin}/robots.txt"))
        return self._rules[origin]

    def _text(self, address: str) -> str:
        try:
            fetched = self._fetcher.fetch(address)
        except FetchRefused:
            return ""
        except FetchFailed as failed:
            self.failed[address] = str(failed)
        else:
            if fetched.status == 200:
                return fetched.body[:_LONGEST].decode("utf-8", "replace")
            if fetched.status < 500 and fetched.status != 429:
                return ""
            self.failed[address] = f"its host answered {fetched.status}"
        return "User-agent: *\nDisallow: /"
