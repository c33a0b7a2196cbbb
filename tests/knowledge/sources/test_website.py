from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from knowledge.listing import FileUnreadable, Listing, SourceMissing
from knowledge.readers import SUFFIXES, read_page
from knowledge.sources.crawl_limits import CrawlLimits
from knowledge.sources.page_address import normalised, scope_of, uri_of
from knowledge.sources.web_address import AllowedHost, FetchRefused
from knowledge.sources.website import list_website

if TYPE_CHECKING:
    from tests.knowledge.sources.conftest import Reply, Site


class Crawl(Protocol):
    def __call__(
        self, site: Site, path: str = "/", *more: Site, limits: CrawlLimits | None = None
    ) -> Listing: ...


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def crawl(tmp_path: Path, waited: list[float]) -> Crawl:
    """Crawls without waiting, and remembers how long it would have waited."""

    def run(site: Site, path: str = "/", *more: Site, limits: CrawlLimits | None = None) -> Listing:
        allowed = [AllowedHost("127.0.0.1", each.port, is_private=True) for each in (site, *more)]
        return list_website(
            site.root + path, allowed, SUFFIXES, tmp_path / "cache", limits=limits,
            wait=waited.append,
        )  # fmt: skip

    return run


def _linking(*targets: str) -> str:
    links = "".join(f'<a href="{target}">more</a>' for target in targets)
    return f"<html><body><p>About {' and '.join(targets)}.</p>{links}</body></html>"


def _reply(body: bytes, **headers: str) -> Reply:
    from tests.knowledge.sources.conftest import Reply

    return Reply(body, 200, {name.replace("_", "-"): value for name, value in headers.items()})


def _uris(listing: Listing) -> list[str]:
    return sorted(document.uri for document in listing.documents)


def _reasons(listing: Listing) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in listing.skipped}


def test_pages_below_the_first_one_are_listed_once_each(crawl: Crawl, site: Site) -> None:
    site.page("/book/", _linking("leave", "leave#part", "./leave?utm_source=x", "/secret", "sub/a"))
    site.page("/book/leave", _linking("/book/", "/book/../secret", "mailto:a@b", "javascript:x"))
    site.page("/book/sub/a", _linking("b.html", "b.html?print=1"))
    site.page("/book/sub/b.html", "<p>B</p>")
    site.page("/book/sub/b.html?print=1", "<p>B for printers</p>")
    site.page("/secret", "secret")
    listing = crawl(site, "/book/")
    assert _uris(listing) == [
        "book/index.html", "book/leave.html", "book/sub/a.html", "book/sub/b.html",
        "book/sub/b.html?print=1.html",
    ]  # fmt: skip
    assert listing.is_complete
    assert listing.location == f"{site.root}/book/"
    assert "/secret" not in site.asked
    assert site.asked.count("/book/leave") == 1
    (leave,) = (each for each in listing.documents if each.uri == "book/leave.html")
    assert leave.link == f"{site.root}/book/leave"
    asked = len(site.asked)
    assert b"About" in leave.read()
    assert len(site.asked) == asked  # fetched once a sync


def test_the_type_of_a_page_decides_how_it_is_read(crawl: Crawl, site: Site) -> None:
    site.page("/", _linking("pdf?id=1", "notes", "guide.md", "data", "logo.png", "all.zip", "æ ø"))
    site.pages["/pdf?id=1"] = _reply(b"%PDF-1.4", content_type="application/pdf")
    site.pages["/notes"] = _reply(b"notes", content_type="text/plain; charset=utf-8")
    site.pages["/guide.md"] = _reply(b"# Guide", content_type="text/plain")
    site.pages["/data"] = _reply(b"\x00", content_type="application/octet-stream")
    site.pages["/%C3%A6%20%C3%B8"] = _reply(b"<p>Hei</p>", content_type="text/html")
    listing = crawl(site)
    assert _uris(listing) == ["guide.md", "index.html", "notes.txt", "pdf?id=1.pdf", "æ ø.html"]
    assert not {"/logo.png", "/all.zip"} & set(site.asked)
    assert f"{site.root}/data" in _reasons(listing)
    assert f"{site.root}/all.zip" in _reasons(listing)
    assert listing.is_complete


def test_a_page_is_read_in_the_encoding_that_its_host_names(crawl: Crawl, site: Site) -> None:
    for path, meta in (("/", b""), ("/b", b'<meta charset="utf-8">')):
        body = meta + '<p>Overføring</p><a href="/b">b</a>'.encode("iso-8859-1")
        site.pages[path] = _reply(body, content_type="text/html; charset=ISO-8859-1")
    for document in crawl(site).documents:
        assert "Overføring" in read_page(document.read(), document.uri).text


def test_links_in_a_circle_and_without_an_end_come_to_an_end(crawl: Crawl, site: Site) -> None:
    site.page("/", _linking("/a", "/next/0"))
    site.page("/a", _linking("/", "/a"))
    for number in range(30):
        site.page(f"/next/{number}", _linking(f"/next/{number + 1}"))
    listing = crawl(site, limits=CrawlLimits(depth=5))
    assert _uris(listing) == ["a.html", "index.html", *(f"next/{n}.html" for n in range(5))]
    assert listing.is_complete  # what lies deeper does not belong to the source


def test_a_site_with_more_pages_than_the_limit_is_not_seen_completely(
    crawl: Crawl, site: Site
) -> None:
    site.page("/", _linking(*(f"/{number}" for number in range(30))))
    for number in range(30):
        site.page(f"/{number}", f"<p>{number}</p>")
    listing = crawl(site, limits=CrawlLimits(pages=10))
    assert len(listing.documents) == 10
    assert not listing.is_complete
    assert "more than 10 pages" in _reasons(listing)["."]


def test_a_page_that_fails_leaves_the_listing_incomplete(crawl: Crawl, site: Site) -> None:
    site.page("/", _linking("/a", "/b", "/gone", "/old"))
    site.page("/a", _linking("/c"))
    site.page("/gone", "gone", status=404)
    site.page("/old", "gone", status=410)
    for status in (500, 503, 429):
        site.page("/b", "down", status=status)
        listing = crawl(site)
        assert not listing.is_complete
        assert str(status) in _reasons(listing)[f"{site.root}/b"]
    site.page("/b", "<p>up</p>")
    listing = crawl(site)
    assert listing.is_complete
    assert _uris(listing) == ["a.html", "b.html", "index.html"]
    assert listing.skipped == ()


def test_a_slow_page_is_given_up_and_leaves_the_listing_incomplete(
    crawl: Crawl, site: Site
) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1.5)

    site.page("/", _linking("/slow", "/quick"))
    site.page("/quick", "<p>quick</p>")
    site.pages["/slow"] = slow
    listing = crawl(site, limits=CrawlLimits(page_seconds=0.5))
    assert _uris(listing) == ["index.html", "quick.html"]
    assert not listing.is_complete


def test_a_site_that_goes_down_in_between_is_left_alone(crawl: Crawl, site: Site) -> None:
    site.page("/", _linking(*(f"/{number}" for number in range(20))))
    for number in range(20):
        site.page(f"/{number}", "down", status=503)
    listing = crawl(site)
    assert not listing.is_complete
    assert sum(path.strip("/").isdigit() for path in site.asked) == 5


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_first_page_that_cannot_be_fetched_is_said_to_be_missing(
    crawl: Crawl, site: Site, status: int
) -> None:
    site.page("/", "no", status=status)
    with pytest.raises(SourceMissing, match=f"{site.port}/ cannot be read"):
        crawl(site)


def test_a_first_page_that_moved_to_another_host_is_said_to_be_missing(
    crawl: Crawl, site: Site, new_site: Callable[[], Site]
) -> None:
    other = new_site()
    other.page("/", "<p>there</p>")
    site.redirect("/", f"{other.root}/", 301)
    with pytest.raises(SourceMissing, match="does not belong to this source"):
        crawl(site)
    assert other.asked == []
    assert _uris(crawl(site, "/", other)) == [f"127.0.0.1:{other.port}/index.html"]


def test_other_hosts_are_read_only_if_they_are_allowed(
    crawl: Crawl, site: Site, new_site: Callable[[], Site]
) -> None:
    other = new_site()
    other.page("/more", "<p>more</p>")
    site.page("/", _linking(f"{other.root}/more"))
    assert _uris(crawl(site)) == ["index.html"]
    assert other.asked == []
    assert _uris(crawl(site, "/", other)) == [f"127.0.0.1:{other.port}/more.html", "index.html"]


def test_redirects_within_the_site_lead_to_the_page_itself(crawl: Crawl, site: Site) -> None:
    site.page("/book/", _linking("/book/old", "/book/new", "/book/away", "/book/up"))
    site.redirect("/book/old", "/book/new", 301)
    site.redirect("/book/away", "http://169.254.169.254/latest/meta-data", 302)
    site.redirect("/book/up", "/secret", 302)
    site.page("/book/new", "<p>new</p>")
    listing = crawl(site, "/book/")
    assert _uris(listing) == ["book/index.html", "book/new.html"]
    assert listing.is_complete
    assert "/secret" not in site.asked


def test_pages_that_suddenly_ask_for_a_login_are_kept_for_one_more_sync(
    crawl: Crawl, site: Site
) -> None:
    site.page("/", _linking("/a", "/b"))
    site.page("/a", "<p>a</p>")
    site.page("/b", "<p>b</p>")
    site.page("/login", "<p>Who are you?</p>")
    assert crawl(site).is_complete
    site.redirect("/a", "/login", 302)
    site.page("/b", "no", status=403)
    assert not crawl(site).is_complete
    listing = crawl(site)
    assert listing.is_complete
    assert _uris(listing) == ["index.html", "login.html"]


def test_robots_txt_is_obeyed(crawl: Crawl, site: Site, waited: list[float]) -> None:
    site.page(
        "/robots.txt",
        "User-agent: *\nDisallow: /private\nDisallow: /*.pdf$\nAllow: /private/open\n"
        "Crawl-delay: 3\n",
        content_type="text/plain",
    )
    site.page("/", _linking("/private/a", "/private/open", "/x.pdf", "/hop"))
    site.page("/private/open", "<p>open</p>")
    site.redirect("/hop", "/private/a")
    listing = crawl(site)
    assert _uris(listing) == ["index.html", "private/open.html"]
    assert not {"/private/a", "/x.pdf"} & set(site.asked)
    assert listing.is_complete
    assert set(waited) == {3.0}


def test_robots_txt_may_forbid_this_crawler_by_name(crawl: Crawl, site: Site) -> None:
    site.page("/robots.txt", "User-agent: Skredder\nDisallow: /\n", content_type="text/plain")
    site.page("/", "<p>Hei</p>")
    with pytest.raises(SourceMissing, match=r"robots\.txt"):
        crawl(site)
    assert site.asked == ["/robots.txt"]


def test_a_robots_txt_that_cannot_be_fetched_forbids_everything(crawl: Crawl, site: Site) -> None:
    site.page("/robots.txt", "down", status=503)
    site.page("/", "<p>Hei</p>")
    with pytest.raises(SourceMissing, match=r"robots\.txt.*503"):
        crawl(site)
    assert "/" not in site.asked


def test_pages_that_only_a_sitemap_names_are_found(
    crawl: Crawl, site: Site, new_site: Callable[[], Site]
) -> None:
    def listed(*places: str) -> bytes:
        return "".join(f"<url><loc> {place} </loc></url>" for place in places).encode()

    site.page("/", "<p>Hei</p>")
    site.page("/a", "<p>a</p>")
    site.page("/b?x=1&y=2", "<p>b</p>")
    site.page("/c", "<p>c</p>")
    other = new_site()
    site.page("/robots.txt", f"Sitemap: {site.root}/more.xml\n", content_type="text/plain")
    site.pages["/sitemap.xml"] = _reply(
        listed(f"{site.root}/a", f"{site.root}/packed.xml.gz", f"{other.root}/sitemap.xml")
    )
    site.pages["/packed.xml.gz"] = _reply(
        gzip.compress(listed(f"{site.root}/b?x=1&amp;y=2")), content_type="application/gzip"
    )
    site.pages["/more.xml"] = _reply(listed(f"<![CDATA[{site.root}/c]]>", f"{site.root}/more.xml"))
    listing = crawl(site)
    assert _uris(listing) == ["a.html", "b?x=1&y=2.html", "c.html", "index.html"]
    assert listing.is_complete
    assert other.asked == []


def test_a_sitemap_that_fails_leaves_the_listing_incomplete(crawl: Crawl, site: Site) -> None:
    site.page("/", "<p>Hei</p>")
    site.page("/sitemap.xml", "down", status=502)
    assert not crawl(site).is_complete


def test_doubles_of_a_page_are_listed_once(crawl: Crawl, site: Site) -> None:
    canonical = '<link rel="canonical" href="/leave">'
    site.page("/", _linking("/leave?ref=menu", "/copy", "/copy/of/it", "/wrong", "/lost"))
    site.page("/leave?ref=menu", f"{canonical}<p>Leave, from the menu</p>")
    site.page("/leave", f"{canonical}<p>Leave</p>")
    site.page("/copy", "<p>The same</p>")
    site.page("/copy/of/it", "<p>The same</p>")
    site.page("/wrong", '<link rel="canonical" href="/"><p>No, this is another page</p>')
    site.page("/lost", '<link rel="canonical" href="/nowhere"><p>Its own name is wrong</p>')
    listing = crawl(site)
    assert _uris(listing) == ["copy.html", "index.html", "leave.html", "lost.html", "wrong.html"]


def test_a_page_that_has_not_changed_is_not_sent_again(crawl: Crawl, site: Site) -> None:
    def page(handler: BaseHTTPRequestHandler) -> Reply:
        from tests.knowledge.sources.conftest import Reply

        if handler.headers.get("If-None-Match") == '"1"':
            return Reply(b"", 304)
        return _reply(_linking("/a").encode(), content_type="text/html", etag='"1"')

    site.pages["/"] = page
    site.page("/a", "<p>a</p>", last_modified="Tue, 03 Mar 2026 10:00:00 GMT")
    first = crawl(site)
    second = crawl(site)
    assert _uris(first) == _uris(second) == ["a.html", "index.html"]
    assert [each.read() for each in first.documents] == [each.read() for each in second.documents]
    assert site.asked_with[-1]["if-modified-since"] == "Tue, 03 Mar 2026 10:00:00 GMT"


def test_that_another_page_has_not_changed_says_nothing_about_this_one(
    crawl: Crawl, site: Site
) -> None:
    def unchanged(handler: BaseHTTPRequestHandler) -> Reply:
        from tests.knowledge.sources.conftest import Reply

        is_known = handler.headers.get("If-Modified-Since") is not None
        return Reply(b"", 304) if is_known else _reply(b"<p>new</p>", content_type="text/html")

    site.page("/", _linking("/a"))
    site.page("/a", "<p>old</p>", last_modified="Tue, 03 Mar 2026 10:00:00 GMT")
    crawl(site)
    site.redirect("/a", "/b", 301)
    site.pages["/b"] = unchanged
    listing = crawl(site)
    assert _uris(listing) == ["b.html", "index.html"]
    assert listing.documents[1].read() == b"<p>new</p>"


def test_a_page_that_is_gone_is_gone_from_the_listing_and_from_the_disk(
    crawl: Crawl, site: Site, tmp_path: Path
) -> None:
    site.page("/", _linking("/a"))
    site.page("/a", "<p>secret recipe</p>")
    before = crawl(site)
    del site.pages["/a"]
    after = crawl(site)
    assert after.is_complete
    assert _uris(after) == ["index.html"]
    assert not any(b"recipe" in path.read_bytes() for path in (tmp_path / "cache").iterdir())
    with pytest.raises(FileUnreadable):
        before.documents[1].read()


def test_a_document_that_is_too_large_is_named_and_a_bomb_is_no_page(
    crawl: Crawl, site: Site
) -> None:
    site.page("/", _linking("/large", "/small"))
    site.pages["/large"] = _reply(b"%PDF" + b"0" * 200_000, content_type="application/pdf")
    site.page("/small", "<p>small</p>")
    listing = crawl(site, limits=CrawlLimits(page_bytes=100_000))
    assert listing.is_complete  # it links to nothing
    (large,) = (each for each in listing.documents if each.uri == "large.pdf")
    with pytest.raises(FileUnreadable, match="larger than"):
        large.read()
    site.pages["/large"] = _reply(
        gzip.compress(b"<p>" * 1_000_000), content_type="text/html", content_encoding="gzip"
    )
    listing = crawl(site, limits=CrawlLimits(page_bytes=100_000))
    assert _uris(listing) == ["index.html", "small.html"]
    assert not listing.is_complete  # what it links to is not known


def test_the_site_is_asked_slowly(crawl: Crawl, site: Site, waited: list[float]) -> None:
    site.page("/", _linking("/a", "/b"))
    site.page("/a", "<p>a</p>")
    site.page("/b", "<p>b</p>")
    crawl(site, limits=CrawlLimits(delay=0.7))
    assert waited == [0.7] * 4  # the first page, the sitemap and two more


@pytest.mark.parametrize(
    "url",
    ["http://user:s3cret@127.0.0.1/", "ftp://example.com/", "https://other.example/", "/docs"],
)
def test_an_address_that_may_not_be_crawled_is_refused_without_repeating_a_password(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SourceMissing) as raised:
        list_website(url, [AllowedHost("example.com")], SUFFIXES, tmp_path)
    assert "s3cret" not in str(raised.value)


def test_xhtml_with_its_declaration_is_read(crawl: Crawl, site: Site) -> None:
    body = '<?xml version="1.0" encoding="utf-8"?><html><body><a href="/a">a</a></body></html>'
    site.page("/", body, content_type="application/xhtml+xml")
    site.page("/a", "<p>a</p>")
    assert _uris(crawl(site)) == ["a.html", "index.html"]


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("HTTP://Example.COM:80", "http://example.com/"),
        ("https://example.com:443/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/a/b/..", "https://example.com/a/"),
        ("https://example.com/../../etc", "https://example.com/etc"),
        ("https://example.com/%7Ea%2fb%c3%b8?q=%41", "https://example.com/~a%2Fb%C3%B8?q=A"),
        ("https://example.com/a?utm_source=x&id=3&gclid=1", "https://example.com/a?id=3"),
        ("https://example.com/a?#b", "https://example.com/a"),
        ("https://bücher.example/ø", "https://xn--bcher-kva.example/%C3%B8"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443/"),
    ],
)
def test_an_address_is_written_in_one_way(url: str, written: str) -> None:
    assert normalised(url) == written
    assert normalised(written) == written


def test_names_of_pages_can_be_stored_and_shown() -> None:
    scope = scope_of("https://example.com/", [AllowedHost("example.com")])
    assert uri_of("https://example.com/a%0Ab/%FF", ".html", scope) == "a%0Ab/%FF.html"
    with pytest.raises(FetchRefused, match="too long"):
        normalised(f"https://example.com/{'a' * 3000}")
