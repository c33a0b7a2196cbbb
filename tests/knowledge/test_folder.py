from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge import listing
from knowledge.folder import list_files, read_bytes
from knowledge.listing import FileUnreadable, SourceMissing
from knowledge.readers import SUFFIXES

if TYPE_CHECKING:
    from tests.knowledge.conftest import Write


def _uris(path: Path) -> list[str]:
    return [file.uri for file in list_files(path, SUFFIXES).documents]


def _reasons(path: Path) -> dict[str, str]:
    return {s.path: s.reason for s in list_files(path, SUFFIXES).skipped}


def test_a_folder_is_listed_with_all_that_is_below_it(pages: Path) -> None:
    assert _uris(pages) == ["leave.md", "travel.md", "people/ferie.md"]
    assert list_files(pages, SUFFIXES).is_complete


def test_one_file_is_a_source_of_its_own(pages: Path) -> None:
    assert _uris(pages / "leave.md") == ["leave.md"]


@pytest.mark.parametrize("name", ["no-such-folder", "leave.md/below", "nul\x00byte"])
def test_a_path_that_is_not_there_is_said_to_be_missing(pages: Path, name: str) -> None:
    with pytest.raises(SourceMissing, match="There is no folder or file"):
        list_files(pages / name, SUFFIXES)


def test_hidden_files_and_folders_are_passed_over(pages: Path, write: Write) -> None:
    write(pages / ".git" / "notes.md", "secret")
    write(pages / ".draft.md", "secret")
    assert _uris(pages) == ["leave.md", "travel.md", "people/ferie.md"]
    assert _reasons(pages) == {}


def test_a_link_is_never_followed_and_one_out_of_the_folder_is_named_as_such(
    pages: Path, tmp_path: Path, write: Write
) -> None:
    secret = write(tmp_path / "outside" / "secret.md", "secret")
    (pages / "file.md").symlink_to(secret)
    (pages / "folder").symlink_to(secret.parent)
    (pages / "self.md").symlink_to(pages / "self.md")
    (pages / "twice.md").symlink_to(pages / "leave.md")
    assert _uris(pages) == ["leave.md", "travel.md", "people/ferie.md"]
    reasons = _reasons(pages)
    for name in ("file.md", "folder", "self.md"):
        assert "leads out of the folder" in reasons[name]
    assert "read where it lies" in reasons["twice.md"]


def test_a_link_put_in_place_of_a_listed_file_is_not_followed(
    pages: Path, tmp_path: Path, write: Write
) -> None:
    (file, *_) = list_files(pages, SUFFIXES).documents
    (pages / file.uri).unlink()
    (pages / file.uri).symlink_to(write(tmp_path / "secret.md", "secret"))
    with pytest.raises(FileUnreadable):
        file.read()


def test_a_pipe_with_a_page_s_name_holds_nobody_up(pages: Path) -> None:
    os.mkfifo(pages / "pipe.md")
    with pytest.raises(FileUnreadable, match="plain file"):
        read_bytes(pages / "pipe.md")


def test_a_file_over_the_limit_is_not_read(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LARGEST_FILE", 10)
    with pytest.raises(FileUnreadable, match="larger than"):
        read_bytes(pages / "leave.md")


def test_a_file_of_a_gigabyte_is_refused_before_it_is_read(
    pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(pages / "log.txt", "wb") as opened:
        opened.truncate(1024**3)

    def read(*_: object) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr("knowledge.folder.read_within_limit", read)
    with pytest.raises(FileUnreadable, match="larger than 32 MB"):
        read_bytes(pages / "log.txt")


def test_two_files_whose_names_are_written_alike_are_not_taken_for_one(
    tmp_path: Path, write: Write
) -> None:
    for name in ("two\nlines.md", "two%0Alines.md"):
        write(tmp_path / "pages" / name, name)
    assert _uris(tmp_path / "pages") == ["two%0Alines.md"]
    assert "written in the same way" in _reasons(tmp_path / "pages")["two%0Alines.md"]


def test_a_kind_of_file_that_cannot_be_read_is_named_and_pictures_are_not(
    pages: Path, write: Write
) -> None:
    for name in ("sheet.odt", "Makefile", "logo.png"):
        write(pages / name, "x")
    reasons = _reasons(pages)
    assert set(reasons) == {"sheet.odt", "Makefile"}
    assert ".odt" in reasons["sheet.odt"]


def test_awkward_names_get_addresses_that_can_be_stored_and_shown(
    tmp_path: Path, write: Write
) -> None:
    folder = tmp_path / "pages"
    write(folder / "two\nlines.md", "x")
    write(folder / "ferie på norsk.md", "x")
    os.close(os.open(os.fsencode(folder) + b"/bad\xff.md", os.O_CREAT))
    assert sorted(_uris(folder)) == ["bad\\xff.md", "ferie på norsk.md", "two%0Alines.md"]


def test_a_folder_that_cannot_be_listed_makes_the_listing_incomplete(
    pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "people":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list_files(pages, SUFFIXES)
    assert not found.is_complete
    assert [s.path for s in found.skipped] == ["people"]
    assert [f.uri for f in found.documents] == ["leave.md", "travel.md"]
