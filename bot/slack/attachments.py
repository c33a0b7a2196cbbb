"""Text files that come with a question: read within limits; what is not read is said."""

from __future__ import annotations

import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.slack.calls import REQUEST_TIMEOUT_SECONDS, SlackCalls, SlackUncertain

log = logging.getLogger(__name__)

#: How many files of a message are read, how large each may be in bytes, and how much of all of
#: them goes into the question, in characters.
MOST_FILES = 3
LARGEST_BYTES = 100_000
MOST_CHARACTERS = 2_400

_ENDINGS = frozenset(
    "txt md markdown csv tsv log json yaml yml toml ini cfg conf xml html htm py js ts java c cpp "
    "h rs go rb sh sql css rst tex text".split()
)

File = Mapping[str, Any]


def is_readable(file: File) -> bool:
    """Whether a file is text, and not too long."""
    name = str(file.get("name") or "")
    kind = str(file.get("mimetype") or "")
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    is_text = kind.startswith("text/") or ending in _ENDINGS
    size = file.get("size")
    return is_text and isinstance(size, int) and 0 < size <= LARGEST_BYTES


def unread_names(files: Sequence[File]) -> tuple[str, ...]:
    """Return the names of the files that are not read."""
    readable = [file for file in files if is_readable(file)][:MOST_FILES]
    return tuple(str(f.get("name") or f.get("id")) for f in files if f not in readable)


class Attachments:
    """Fetches files from Slack, and from nowhere else."""

    def __init__(self, calls: SlackCalls) -> None:
        """Take Slack; files come from its own hosts only."""
        self._calls = calls
        self._api = urlsplit(calls.client.base_url)

    def text_of(self, files: Sequence[File]) -> str:
        """Return what the readable files say, with their names, cut to what a question takes.

        Raises:
            SlackUncertain: a file could not be fetched now.
        """
        parts = []
        for file in [file for file in files if is_readable(file)][:MOST_FILES]:
            content = self._fetch(str(file.get("url_private") or ""))
            if content is not None:
                parts.append(f"{file.get('name')}: {content.decode('utf-8', 'replace')}")
        return "\n\n".join(parts)[:MOST_CHARACTERS]

    def _fetch(self, url: str) -> bytes | None:
        if not self._is_slacks(url):
            log.warning("a file that is not at Slack is not read")
            return None
        request = urllib.request.Request(  # noqa: S310 - the address was looked at
            url, headers={"Authorization": f"Bearer {self._calls.token}"}
        )
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=REQUEST_TIMEOUT_SECONDS) as response:
                content = response.read(LARGEST_BYTES + 1)
        except urllib.error.HTTPError as error:
            if error.code == 429 or error.code >= 500:
                raise SlackUncertain(f"file: Slack answered {error.code}.") from error
            log.warning("file not read status=%d", error.code)
            return None
        except (OSError, http.client.HTTPException) as error:
            raise SlackUncertain(f"file: {type(error).__name__}: {error}") from error
        return bytes(content[:LARGEST_BYTES])

    def _is_slacks(self, url: str) -> bool:
        """Whether an address is Slack's own: its files' host, or that of the Web API we use."""
        parts = urlsplit(url)
        is_the_apis = (parts.scheme, parts.netloc) == (self._api.scheme, self._api.netloc)
        return is_the_apis or (parts.scheme == "https" and parts.netloc == "files.slack.com")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to the address that was looked at, and is not taken anywhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""
        return
