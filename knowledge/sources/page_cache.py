"""The pages of a website as they were fetched last, so that what is unchanged is not sent again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.listing import FileUnreadable


@dataclass(frozen=True)
class CachedPage:
    """A page that was fetched.

    Attributes:
        url: Its address.
        media_type: What its host said that it is.
        etag: By which its host knows this state of it, if it says so.
        last_modified: Since when its host has this state of it, if it says so.
        body: What is on it.
    """

    url: str
    media_type: str
    etag: str
    last_modified: str
    body: bytes

    @property
    def conditions(self) -> Mapping[str, str]:
        """Return the headers of a request that wants the page only if it has changed."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


class PageCache:
    """Keeps pages in a folder, a file each. One process at a time."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which is made when the first page is kept."""
        self._folder = folder

    def keep(self, page: CachedPage) -> None:
        """Keep a page, in place of what was kept of it before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        head = {
            "url": page.url,
            "media_type": page.media_type,
            "etag": page.etag,
            "last_modified": page.last_modified,
        }
        path = self._path(page.url)
        unfinished = path.with_suffix(".page-unfinished")
        unfinished.write_bytes(json.dumps(head).encode() + b"\n" + page.body)
        unfinished.replace(path)

    def find(self, url: str) -> CachedPage | None:
        """Return a page that is kept."""
        try:
            head, _, body = self._path(url).read_bytes().partition(b"\n")
            page = CachedPage(**json.loads(head), body=body)
        except (OSError, ValueError, TypeError):
            return None
        return page if page.url == url else None

    def read(self, url: str) -> bytes:
        """Return what is on a page that is kept.

        Raises:
            FileUnreadable: it is kept no longer.
        """
        page = self.find(url)
        if page is None:
            raise FileUnreadable("it was fetched, and its copy is gone; the next sync fetches it")
        return page.body

    def forget(self, url: str) -> None:
        """Forget a page."""
        self._path(url).unlink(missing_ok=True)

    def forget_others(self, urls: Collection[str]) -> None:
        """Forget all pages but these."""
        kept = {self._path(url) for url in urls}
        for path in self._folder.glob("*.page*"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:40]}.page"
