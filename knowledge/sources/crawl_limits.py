"""How far a crawl of a website goes before the rest is left for another time."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.listing import LARGEST_FILE


@dataclass(frozen=True)
class CrawlLimits:
    """How far a crawl goes.

    Attributes:
        pages: The most pages that are asked for.
        depth: The most links between the first page, or the sitemap, and a page. It says what
            belongs to the source; the other limits end a crawl early.
        page_bytes: The most bytes of a page.
        all_bytes: The most bytes of all pages.
        seconds: The longest time for all pages.
        page_seconds: The longest time for one page.
        delay: The seconds between two requests; more if robots.txt asks for more.
    """

    pages: int = 2000
    depth: int = 12
    page_bytes: int = LARGEST_FILE
    all_bytes: int = 2 * 1024**3
    seconds: float = 3600.0
    page_seconds: float = 30.0
    delay: float = 0.25
