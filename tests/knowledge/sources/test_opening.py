from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge.listing import SourceMissing
from knowledge.sources import opening
from knowledge.sources.crawl_limits import CrawlLimits
from knowledge.sources.opening import ListingOptions, SourceLister, is_repository
from knowledge.sources.web_address import AllowedHost

if TYPE_CHECKING:
    from tests.knowledge.sources.conftest import Site


@pytest.mark.parametrize(
    "location",
    [
        "https://github.com/team/docs.git",
        "https://github.com/team/docs.git#main:handbook",
        "git@github.com:team/docs",
        "git+https://git.example.com/team/docs",
        "ssh://git@example.com/docs",
        "file:///srv/docs.git",
    ],
)
def test_a_repository_is_known_by_its_address(location: str) -> None:
    assert is_repository(location)


@pytest.mark.parametrize("location", ["/srv/docs", "docs.git", "https://example.com/docs", "a b"])
def test_a_folder_or_a_website_is_no_repository(location: str) -> None:
    assert not is_repository(location)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with one page, in a folder whose name does not say that it is one."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\n27 days.")
    git = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    return folder


def test_a_folder_is_listed_and_so_is_a_repository(origin: Path, tmp_path: Path) -> None:
    bare = tmp_path / "docs.git"
    bare.symlink_to(origin)
    lister = SourceLister(tmp_path / "checkouts")
    assert [d.uri for d in lister(str(origin)).documents] == ["leave.md"]
    listing = lister(f"file://{bare}")
    assert [d.uri for d in listing.documents] == ["leave.md"]
    assert listing.documents[0].read() == b"# Leave\n\n27 days."


def test_what_a_listing_calls_its_location_opens_the_same_source_again(
    origin: Path, tmp_path: Path
) -> None:
    lister = SourceLister(tmp_path / "checkouts")
    listing = lister(f"git+file://{origin}")
    again = lister(listing.location)
    assert again.location == listing.location
    assert [d.uri for d in again.documents] == ["leave.md"]


def test_the_password_of_a_host_is_used_for_it_alone_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def refuse(url: str, _folder: Path, _suffixes: frozenset[str]) -> None:
        seen.append(url)
        raise SourceMissing("not today")

    monkeypatch.setattr(opening, "list_repository", refuse)
    options = ListingOptions(git_credentials={"git.example.com": "bot:s3cr3t@"})
    assert "s3cr3t" not in repr(options)
    lister = SourceLister(tmp_path, options)
    for host in ("git.example.com", "evil.example.com"):
        with pytest.raises(SourceMissing):
            lister(f"https://{host}/a.git#main")
    assert seen == [
        "https://bot:s3cr3t%40@git.example.com/a.git#main", "https://evil.example.com/a.git#main",
    ]  # fmt: skip


def test_a_repository_s_address_with_a_password_is_refused_as_it_would_be_kept(
    tmp_path: Path,
) -> None:
    with pytest.raises(SourceMissing, match="kept and shown") as raised:
        SourceLister(tmp_path)("https://bot:s3cr3t@git.example.com/a.git")
    assert "s3cr3t" not in str(raised.value)


def test_a_website_is_listed_if_its_host_is_allowed(site: Site, tmp_path: Path) -> None:
    site.page("/", "<p>Hei</p>")
    host = AllowedHost("127.0.0.1", site.port, is_private=True)
    options = ListingOptions(allowed_hosts=(host,), limits=CrawlLimits(delay=0))
    listing = SourceLister(tmp_path, options)(f"{site.root}/")
    assert [document.uri for document in listing.documents] == ["index.html"]
    with pytest.raises(SourceMissing, match="not one of the hosts"):
        SourceLister(tmp_path, options)("https://example.com/")


def test_an_address_of_no_known_kind_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"ends in \.git"):
        SourceLister(tmp_path)("https://example.com/handbook")
    with pytest.raises(SourceMissing, match=r"ends in \.git") as raised:
        SourceLister(tmp_path)("ftp://user:s3cr3t@example.com/handbook")
    assert "s3cr3t" not in str(raised.value)


def test_exports_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    talk = [
        {"type": "message", "user": "U1", "text": f"word {n}", "ts": f"147000000{n}.1"}
        for n in range(5)
    ]
    exports = {
        "slack": {
            "users.json": '[{"id": "U1", "name": "ann"}]',
            "channels.json": '[{"id": "C1", "name": "people"}]',
            "groups.json": '[{"id": "G1", "name": "board"}]',
            "people/2016-07-31.json": json.dumps(talk),
            "board/2016-07-31.json": json.dumps(talk),
        },
        "notion": {f"Leave {'0a' * 16}.md": "# Leave"},
        "confluence": {
            "index.html": "<footer>Document generated by Confluence</footer>",
            "Leave_12.html": "<p>Leave</p>",
        },
        "other": {"leave.md": "# Leave"},
    }
    for name, files in exports.items():
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for inside, content in files.items():
                archive.writestr(inside, content)
            archive.extractall(tmp_path / name)
    lister = SourceLister(tmp_path / "checkouts")
    expected = {
        "slack": "people/2016-07-31.md", "notion": f"{'0a' * 16}.md", "confluence": "12.html",
    }  # fmt: skip
    for name, uri in expected.items():
        for path in (tmp_path / name, tmp_path / f"{name}.zip"):
            listing = lister(str(path))
            assert [document.uri for document in listing.documents] == [uri]
            assert listing.location == str(path)
    assert [d.uri for d in lister(str(tmp_path / "other")).documents] == ["leave.md"]
    with pytest.raises(SourceMissing, match="Unpack it"):
        lister(str(tmp_path / "other.zip"))
    board = lister(f"{tmp_path / 'slack.zip'}#board")
    assert [document.uri for document in board.documents] == ["board/2016-07-31.md"]
    assert board.location == f"{tmp_path / 'slack.zip'}#board"
    with pytest.raises(SourceMissing, match="There is no folder or file"):
        lister(str(tmp_path / "nowhere"))


def test_a_folder_with_a_hash_in_its_name_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "c#"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave")
    assert [d.uri for d in SourceLister(tmp_path)(str(folder)).documents] == ["leave.md"]
