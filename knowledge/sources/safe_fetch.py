"""Fetching from the web without being sent anywhere else.

A page, its links and its redirects are written by others, who may want this machine to reach what
only this machine can: itself, the network around it, the metadata service of a cloud. So only
hosts that an admin has named are fetched from, every address of a host is checked, and the
connection goes to an address that was checked, not to the name.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import certifi
import httpcore

from knowledge.listing import LARGEST_FILE
from knowledge.sources.checked_network import CheckedNetwork
from knowledge.sources.web_address import (
    AllowedHost,
    FetchRefused,
    check_address,
    system_addresses,
    take_apart,
)

MOST_REDIRECTS = 5

#: Returns the addresses of a host, as text.
Resolve = Callable[[str, int], Sequence[str]]


class FetchFailed(Exception):
    """The host was not reached, or did not answer as it should; trying later may help."""


class TooLarge(FetchFailed):
    """The answer is larger than what is read, as sent or once unpacked."""

    def __init__(self, url: str, media_type: str, largest: int) -> None:
        super().__init__(f"it is larger than {largest / 1024**2:g} MB")
        self.url = url
        self.media_type = media_type


@dataclass(frozen=True)
class Fetched:
    """An answer.

    Attributes:
        url: Where it came from in the end.
        status: The HTTP status, never a redirect.
        headers: By name in lower case.
        body: Unpacked.
        is_moved_for_good: Whether all redirects on the way said that they are permanent.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_moved_for_good: bool = True

    @property
    def may_pass(self) -> bool:
        """Return whether the host was only busy or out of order; trying later may help."""
        return self.status == 429 or self.status >= 500

    @property
    def media_type(self) -> str:
        """Return the type of the content, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class SafeFetcher:
    """Fetches from the hosts that an admin named, and from nowhere else. Not for two threads."""

    def __init__(
        self,
        allowed: Collection[AllowedHost],
        *,
        largest: int = LARGEST_FILE,
        seconds: float = 30.0,
        resolve: Resolve | None = None,
        user_agent: str = "Skredder (document sync)",
    ) -> None:
        """Take the rules.

        Args:
            allowed: The hosts.
            largest: The most bytes of an answer, unpacked.
            seconds: The longest time for one document, all redirects included.
            resolve: Finds the addresses of a host; the system's resolver by default.
            user_agent: How the fetcher names itself.
        """
        self._allowed = tuple(allowed)
        self._largest = largest
        self._seconds = seconds
        self._resolve = resolve or system_addresses
        self._user_agent = user_agent
        self._tls = ssl.create_default_context()
        self._tls.load_verify_locations(certifi.where())

    def fetch(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        follow: Callable[[str], bool] = lambda _url: True,
    ) -> Fetched:
        """Fetch one document.

        Args:
            url: Absolute, with `http` or `https`.
            headers: More headers of the request.
            follow: Says of each address that a redirect leads to whether to go there.

        Raises:
            FetchRefused: the address, or one that it redirects to, may not be fetched from.
            FetchFailed: nothing came, not all of it came, or too much.
        """
        deadline = time.monotonic() + self._seconds
        is_moved_for_good = True
        for _ in range(MOST_REDIRECTS + 1):
            fetched = self._fetch_once(url, headers or {}, deadline)
            target = fetched.headers.get("location")
            if fetched.status not in (301, 302, 303, 307, 308) or not target:
                return Fetched(
                    url, fetched.status, fetched.headers, fetched.body, is_moved_for_good
                )
            is_moved_for_good = is_moved_for_good and fetched.status in (301, 308)
            url = self._redirected(url, target, follow)
        raise FetchFailed(f"it redirects more than {MOST_REDIRECTS} times")

    def _redirected(self, url: str, target: str, follow: Callable[[str], bool]) -> str:
        try:
            there = urljoin(url, target.strip())
        except ValueError as error:
            raise FetchRefused("it redirects to what is no address") from error
        if url.startswith("https:") and not there.startswith("https:"):
            raise FetchRefused("it redirects from https to an address that is not")
        if not follow(there):
            raise FetchRefused("it redirects to a page that does not belong to this source")
        return there

    def _fetch_once(self, url: str, headers: Mapping[str, str], deadline: float) -> Fetched:
        scheme, host, port, target = take_apart(url)
        network = CheckedNetwork(
            self._addresses(host, port), deadline, most=2 * self._largest + 1024**2
        )
        shown = f"[{host}]" if ":" in host else host
        is_default = port == {"http": 80, "https": 443}[scheme]
        asked = {
            "Host": shown if is_default else f"{shown}:{port}",
            "User-Agent": self._user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            **headers,
        }
        try:
            with (
                httpcore.ConnectionPool(self._tls, network_backend=network) as pool,
                pool.stream(
                    "GET",
                    httpcore.URL(scheme=scheme, host=host, port=port, target=target),
                    headers=list(asked.items()),
                ) as response,
            ):
                answered = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                fetched = Fetched(url, response.status, answered, b"")
                if response.status >= 300:
                    return fetched
                body = self._body(fetched, response.iter_stream())
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise FetchFailed("the host did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, zlib.error) as error:
            raise FetchFailed(f"the host could not be read ({type(error).__name__})") from error
        return Fetched(url, fetched.status, answered, body)

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, all of them checked."""
        found = [
            each
            for each in self._allowed
            if each.host == host
            and (each.port == port or (each.port is None and port in (80, 443)))
        ]
        if not found:
            raise FetchRefused(f"{host}:{port} is not one of the hosts that are allowed")
        try:
            addresses = tuple(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise FetchFailed(f"{host} is not known to the name service") from error
        may_be_private = any(each.is_private for each in found)
        for address in addresses:
            check_address(address, may_be_private)
        if not addresses:
            raise FetchFailed(f"{host} has no address")
        return addresses

    def _body(self, fetched: Fetched, chunks: Iterable[bytes]) -> bytes:
        encoding = fetched.headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("", "identity"):
            unpacked: Iterator[bytes] = iter(chunks)
        elif encoding in ("gzip", "x-gzip", "deflate"):
            unpacked = unpack(chunks, self._largest)
        else:
            raise FetchFailed(f"it is packed in a way that was not asked for ({encoding[:20]!r})")
        body = bytearray()
        for piece in unpacked:
            body += piece
            if len(body) > self._largest:
                raise TooLarge(fetched.url, fetched.media_type, self._largest)
        return bytes(body)


def unpack(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Unpack gzip or zlib data piece by piece, and no further than a little beyond `most` bytes.

    Raises:
        zlib.error: it is damaged, or ends too early.
    """
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    total = 0
    for chunk in chunks:
        waiting = chunk
        while waiting and total <= most and not unpacker.eof:
            piece = unpacker.decompress(waiting, 65_536)
            waiting = unpacker.unconsumed_tail
            total += len(piece)
            yield piece
    if total <= most:
        while not unpacker.eof and total <= most:
            piece = unpacker.decompress(unpacker.unconsumed_tail, 65_536)
            if not piece:
                raise zlib.error("the packed data ends too early")
            total += len(piece)
            yield piece
