"""Which addresses of the web may be fetched from: the rules, and no fetching."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+")

#: Services of cloud providers for their machines that lie in public or private ranges.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254"))
)

#: An IPv6 network whose addresses stand for IPv4 addresses, which are checked in their place.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

#: Networks that some versions of Python take for public ones, and tunnels to IPv4 addresses.
_SPECIAL = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.0.0.0/24", "192.88.99.0/24", "2002::/16", "2001::/32", "64:ff9b:1::/48", "::/96"
    )
)  # fmt: skip

#: What an admin may allow by name: this machine, and the networks of a company.
_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "::1/128", "fc00::/7",
    )
)  # fmt: skip


class FetchRefused(Exception):
    """This address is not one that may be fetched from; the message says why."""


@dataclass(frozen=True)
class AllowedHost:
    """A host that may be fetched from.

    Attributes:
        host: Its name or address, exactly; names below it are not meant.
        port: The one port that is meant; 80 and 443 if None.
        is_private: Whether it may be a machine of the company's own network, or this one. Such a
            host has to be named with its port.
    """

    host: str
    port: int | None = None
    is_private: bool = False

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ValueError(f"{self.host!r} is not the name of a host, in lower case.")
        if self.is_private and self.port is None:
            raise ValueError(f"{self.host!r} is allowed to be private, so its port has to be named")

    @classmethod
    def parse(cls, text: str) -> AllowedHost:
        """Read `host`, `host:port` or `private host:port`.

        Raises:
            ValueError: it is none of these.
        """
        words = text.lower().split()
        is_private = words[:1] == ["private"]
        try:
            (named,) = words[is_private:]
            parts = urlsplit(f"//{named}")
            host, port = host_name(parts.hostname or ""), parts.port
            if parts.netloc != named or "@" in named:
                raise ValueError(named)
        except (ValueError, FetchRefused) as error:
            raise ValueError(
                f"{text!r} is not a host. Write host, host:port or 'private host:port'."
            ) from error
        return cls(host, port, is_private)


def take_apart(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and target (path and query, percent-encoded) of a URL.

    Raises:
        FetchRefused: it is not an absolute `http` or `https` URL, or names a user.
    """
    try:
        parts = urlsplit(url)
        host, port = host_name(parts.hostname or ""), parts.port
    except ValueError as error:
        raise FetchRefused("it is not a web address") from error
    if parts.scheme not in ("http", "https"):
        raise FetchRefused("it is not an address that begins with http or https")
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise FetchRefused("its address holds a user name or password")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target


def host_name(text: str) -> str:
    """Return a host's name as it is compared: in lower case, in ASCII, without a last dot.

    Raises:
        FetchRefused: it is no name.
    """
    host = text.lower().removesuffix(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise FetchRefused("its host has no proper name") from error
    if not _HOST.fullmatch(host):
        raise FetchRefused("its host has no proper name")
    return host


def system_addresses(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def check_address(text: str, may_be_private: bool) -> None:
    """Refuse an address that is not public, or not private either.

    Args:
        text: An IPv4 or IPv6 address.
        may_be_private: Whether this machine and private networks are allowed. Link-local and
            metadata addresses, multicast and reserved ones never are.

    Raises:
        FetchRefused: it may not be connected to.
    """
    try:
        address = _meant(ipaddress.ip_address(text))
    except ValueError as error:
        raise FetchRefused(f"{text!r} is not an address") from error
    is_special = any(address in network for network in _SPECIAL)
    is_private = any(address in network for network in _PRIVATE)
    if is_private and may_be_private and address not in _METADATA:
        return
    if (
        address in _METADATA
        or is_private
        or is_special
        or not address.is_global
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_link_local
        or getattr(address, "is_site_local", False)
    ):
        raise FetchRefused(f"its host has the address {address}, which is not a public one")


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
