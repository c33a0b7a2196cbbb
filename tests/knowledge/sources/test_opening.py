from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from knowledge.listing import SourceMissing
from knowledge.sources.opening import SourceLister, is_repository


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


def test_a_folder_is_listed_and_so_is_a_repository(tmp_path: Path) -> None:
    origin = tmp_path / "docs.git"
    origin.mkdir()
    (origin / "leave.md").write_text("# Leave\n\n27 days.")
    git = ["git", "-C", str(origin), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    lister = SourceLister(tmp_path / "checkouts")
    assert [d.uri for d in lister(str(origin)).documents] == ["leave.md"]
    listing = lister(f"file://{origin}")
    assert [d.uri for d in listing.documents] == ["leave.md"]
    assert listing.documents[0].read() == b"# Leave\n\n27 days."


def test_an_address_of_no_known_kind_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"ends in \.git"):
        SourceLister(tmp_path)("https://example.com/handbook")
