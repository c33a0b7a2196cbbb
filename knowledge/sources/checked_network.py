"""Connections that go to addresses that were checked, and end in time.

Below HTTP and TLS: the name is still what the certificate has to be for.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever name is asked for, until a moment."""

    def __init__(self, addresses: Sequence[str], deadline: float, most: int) -> None:
        """Take the rules.

        Args:
            addresses: Where to connect, tried in this order.
            deadline: When it ends, in seconds of `time.monotonic`.
            most: The most bytes that are taken from one connection.
        """
        self._addresses = addresses
        self._deadline = deadline
        self._most = most
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers, whatever `host` would resolve to now."""
        for number, address in enumerate(self._addresses, start=1):
            left = _left(self._deadline, timeout)
            try:
                # A host with several addresses gets a share of the time for each.
                share = left / (len(self._addresses) - number + 1)
                stream = self._network.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(self._addresses):
                    raise
            else:
                return _TimedStream(stream, self._deadline, self._most)
        raise httpcore.ConnectError(f"{host} has no address")


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends at a moment, however slowly the host feeds it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float, most: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._most = most

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, _left(self._deadline, timeout))
        self._most -= len(data)
        if self._most < 0:
            raise httpcore.ReadError("the host sends without an end")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(
            ssl_context, server_hostname, _left(self._deadline, timeout)
        )
        return _TimedStream(secured, self._deadline, self._most)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left if timeout is None else min(left, timeout)
