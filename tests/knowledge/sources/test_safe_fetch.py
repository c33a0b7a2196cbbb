from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from knowledge.sources.safe_fetch import FetchFailed, SafeFetcher, TooLarge, unpack
from knowledge.sources.web_address import AllowedHost, FetchRefused, check_address, take_apart

if TYPE_CHECKING:
    from tests.knowledge.sources.conftest import Site


def _local(*sites: Site) -> list[AllowedHost]:
    return [AllowedHost("127.0.0.1", site.port, is_private=True) for site in sites]


def _named(*names: str) -> Callable[[str, int], Sequence[str]]:
    """Stand for a name service that knows one host."""
    return lambda _host, _port: names


def test_a_page_is_fetched_with_its_type(site: Site) -> None:
    site.page("/a?b=%C3%A6", "<p>Hei</p>")
    fetched = SafeFetcher(_local(site)).fetch(f"{site.root}/a?b=æ#part")
    assert (fetched.status, fetched.body) == (200, b"<p>Hei</p>")
    assert fetched.media_type == "text/html"
    assert site.asked == ["/a?b=%C3%A6"]
    assert site.asked_with[0]["host"] == f"127.0.0.1:{site.port}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fe80::1%1",
        "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2002:7f00:1::",
        "2001:0:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "nonsense",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(FetchRefused):
        check_address(address, may_be_private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_a_public_address_is_not_refused(address: str) -> None:
    check_address(address, may_be_private=False)


def test_a_host_that_may_be_private_is_still_no_metadata_service() -> None:
    for address in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12::1", "93.184.216.34"):
        check_address(address, may_be_private=True)
    for address in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "224.0.0.1"):
        with pytest.raises(FetchRefused):
            check_address(address, may_be_private=True)


@pytest.mark.parametrize("name", ["127.0.0.1", "0x7f.1", "2130706433", "localhost"])
def test_this_machine_is_refused_under_any_name(site: Site, name: str) -> None:
    fetcher = SafeFetcher([AllowedHost(name, site.port)])
    with pytest.raises(FetchRefused, match="not a public one"):
        fetcher.fetch(f"http://{name}:{site.port}/")
    assert site.asked == []


def test_one_private_address_among_public_ones_is_enough_to_refuse_a_host(site: Site) -> None:
    resolve = _named("93.184.216.34", "127.0.0.1")
    fetcher = SafeFetcher([AllowedHost("two.example", site.port)], resolve=resolve)
    with pytest.raises(FetchRefused):
        fetcher.fetch(f"http://two.example:{site.port}/")
    assert site.asked == []


def test_a_name_that_resolves_otherwise_the_second_time_leads_nowhere(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    connected: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address: tuple[str, int], *args: object, **more: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    fetcher = SafeFetcher([AllowedHost("rebind.example")], resolve=rebinding)
    with pytest.raises(FetchFailed):
        fetcher.fetch("http://rebind.example/")
    assert connected == ["93.184.216.34"]
    assert asked == ["rebind.example"]
    with pytest.raises(FetchRefused):
        fetcher.fetch("http://rebind.example/")
    assert connected == ["93.184.216.34"]


def test_the_next_address_of_a_host_is_tried(site: Site) -> None:
    site.page("/", "here")
    (allowed,) = _local(site)
    host = AllowedHost("both.example", allowed.port, is_private=True)
    fetcher = SafeFetcher([host], resolve=_named("127.0.0.2", "127.0.0.1"))
    # Nothing listens at the first one; the test's own guard refuses it as well.
    monkey = pytest.MonkeyPatch()
    real = socket.create_connection

    def connect(address: tuple[str, int], *args: object, **more: object) -> socket.socket:
        if address[0] == "127.0.0.2":
            raise ConnectionRefusedError
        return real(address, *args, **more)  # type: ignore[arg-type]

    monkey.setattr(socket, "create_connection", connect)
    with monkey.context():
        assert fetcher.fetch(f"http://both.example:{site.port}/").body == b"here"
    monkey.undo()


def test_a_redirect_to_this_machine_is_refused(site: Site, new_site: Callable[[], Site]) -> None:
    secret = new_site()
    site.redirect("/", f"http://inside.example:{secret.port}/secret")
    allowed = [*_local(site), AllowedHost("inside.example", secret.port)]

    def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "inside.example" else [host]

    with pytest.raises(FetchRefused, match="not a public one"):
        SafeFetcher(allowed, resolve=resolve).fetch(f"{site.root}/")
    assert secret.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "{other}/", "//127.0.0.1:{port}/", "http://169.254.169.254/latest", "file:///etc/passwd",
        "gopher://127.0.0.1/", "http://user:pw@127.0.0.1/", "http://[::1]/", "http://[",
    ],
)  # fmt: skip
def test_a_redirect_to_another_host_or_protocol_is_refused(
    site: Site, new_site: Callable[[], Site], target: str
) -> None:
    other = new_site()
    site.redirect("/", target.format(other=other.root, port=other.port))
    with pytest.raises(FetchRefused):
        SafeFetcher(_local(site)).fetch(f"{site.root}/")
    assert other.asked == []


def test_redirects_are_followed_five_times_and_asked_about_each_time(site: Site) -> None:
    for number in range(6):
        site.redirect(f"/{number}", f"/{number + 1}", 301)
    site.page("/6", "there")
    fetcher = SafeFetcher(_local(site))
    fetched = fetcher.fetch(f"{site.root}/1")
    assert (fetched.url, fetched.is_moved_for_good) == (f"{site.root}/6", True)
    with pytest.raises(FetchFailed, match="more than 5"):
        fetcher.fetch(f"{site.root}/0")
    with pytest.raises(FetchRefused, match="does not belong"):
        fetcher.fetch(f"{site.root}/1", follow=lambda url: not url.endswith("/3"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "example.com", "http://user@example.com/", "http://a:b@example.com/",
        "http://example.com\\@evil.example/", "http://exa mple.com/", "http://example.com:99999/",
        "http:///path", "http://ex%61mple.com/", "http://-/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    fetcher = SafeFetcher([AllowedHost("example.com")], resolve=_named("93.184.216.34"))
    with pytest.raises(FetchRefused):
        fetcher.fetch(url)


def test_other_ports_have_to_be_named() -> None:
    fetcher = SafeFetcher([AllowedHost("example.com")], resolve=_named("127.0.0.1"))
    with pytest.raises(FetchRefused, match="not one of the hosts"):
        fetcher.fetch("http://example.com:8080/")
    with pytest.raises(FetchRefused, match="not one of the hosts"):
        fetcher.fetch("http://www.example.com/")
    with pytest.raises(FetchRefused, match="not a public one"):
        fetcher.fetch("https://EXAMPLE.com./")  # named, and then refused for its address


def test_hosts_are_written_as_admins_write_them() -> None:
    assert AllowedHost.parse("Docs.Example.com") == AllowedHost("docs.example.com")
    assert AllowedHost.parse("bücher.example:8443") == AllowedHost("xn--bcher-kva.example", 8443)
    assert AllowedHost.parse("private wiki:8080") == AllowedHost("wiki", 8080, is_private=True)
    assert AllowedHost.parse("[::1]:80") == AllowedHost("::1", 80)
    for text in ("", "private wiki", "https://example.com", "a b", "*.example.com", "wiki:x"):
        with pytest.raises(ValueError, match=r"host|private"):
            AllowedHost.parse(text)


def test_no_line_break_gets_into_a_request() -> None:
    _, host, port, target = take_apart("http://example.com/a b\r\nX: 1?q=\r\n1 2")
    assert (host, port) == ("example.com", 80)
    assert target == "/a%20bX:%201?q=1%202"


def test_a_page_without_an_end_is_cut_off(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65_536)

    site.pages["/"] = endless
    with pytest.raises(TooLarge):
        SafeFetcher(_local(site), largest=1_000_000).fetch(f"{site.root}/")


def test_headers_without_an_end_are_cut_off(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.flush_headers()
        while True:
            handler.wfile.write(b"x-more: " + b"x" * 65_536 + b"\r\n")

    site.pages["/"] = endless
    with pytest.raises(FetchFailed):
        SafeFetcher(_local(site), largest=1_000).fetch(f"{site.root}/")


def test_beginnings_without_an_end_are_cut_off(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        while True:
            handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)

    site.pages["/"] = endless
    with pytest.raises(FetchFailed, match="could not be read"):
        SafeFetcher(_local(site), largest=1_000, seconds=10).fetch(f"{site.root}/")


def test_a_host_that_drips_is_given_up_in_time(site: Site) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    site.pages["/"] = drip
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="in time"):
        SafeFetcher(_local(site), seconds=0.5).fetch(f"{site.root}/")
    assert time.monotonic() - started < 3


def test_an_answer_that_breaks_off_is_none(site: Site) -> None:
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half a page")

    site.pages["/"] = broken
    with pytest.raises(FetchFailed):
        SafeFetcher(_local(site)).fetch(f"{site.root}/")


def test_a_packed_page_is_unpacked_and_a_bomb_is_not(site: Site) -> None:
    from tests.knowledge.sources.conftest import Reply

    headers = {"content-encoding": "gzip", "content-type": "text/html"}
    site.pages["/page"] = Reply(gzip.compress(b"Hei " * 1000), 200, headers)
    site.pages["/bomb"] = Reply(gzip.compress(b"0" * 50_000_000), 200, headers)
    site.pages["/half"] = Reply(gzip.compress(b"Hei " * 1000)[:-10], 200, headers)
    site.pages["/other"] = Reply(b"x", 200, headers | {"content-encoding": "br"})
    fetcher = SafeFetcher(_local(site), largest=100_000)
    assert fetcher.fetch(f"{site.root}/page").body == b"Hei " * 1000
    with pytest.raises(TooLarge) as raised:
        fetcher.fetch(f"{site.root}/bomb")
    assert raised.value.media_type == "text/html"
    for path in ("half", "other"):
        with pytest.raises(FetchFailed):
            fetcher.fetch(f"{site.root}/{path}")


def test_a_bomb_is_unpacked_no_further_than_the_limit() -> None:
    bomb = zlib.compress(b"0" * 50_000_000)
    unpacked = sum(map(len, unpack([bomb], 100_000)))
    assert 100_000 < unpacked <= 100_000 + 65_536


def test_a_host_that_is_not_there_is_a_failure(site: Site) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(FetchFailed, match="name service"):
        SafeFetcher([AllowedHost("gone.example")], resolve=unknown).fetch("http://gone.example/")


def test_the_environment_s_proxy_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    site.page("/", "here")
    assert SafeFetcher(_local(site)).fetch(f"{site.root}/").body == b"here"


def test_no_cookie_and_no_password_is_ever_sent(site: Site) -> None:
    site.page("/", "here", set_cookie="a=b")
    fetcher = SafeFetcher(_local(site))
    for _ in range(2):
        fetcher.fetch(f"{site.root}/")
    assert not {"cookie", "authorization"} & set(site.asked_with[1])
