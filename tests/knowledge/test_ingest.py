from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge import ingest as ingest_module
from knowledge.embedder import MiniLmEmbedder
from knowledge.listing import SourceMissing
from storage import documents

if TYPE_CHECKING:
    from tests.knowledge.conftest import House, Write


def _counts(report: ingest_module.Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.deleted


def _agree(house: House, audience: str = "everyone") -> bool:
    """Whether SQL and both indexes hold exactly the same passages."""
    with house.database.read() as session:
        served = documents.served_ids(session, audience)
        left = documents.unserved_passages(session)
    by_vector = house.index.ids("passages", audience)
    return not left and served == by_vector == house.keywords.ids(audience)


def test_a_folder_is_read_once_and_only_what_changed_is_read_again(
    house: House, pages: Path, write: Write
) -> None:
    first = house.ingest(pages)
    assert _counts(first) == (3, 0, 0, 0)
    assert first.passages == house.index.count("passages", "everyone") == 6
    assert _counts(house.ingest(pages)) == (0, 0, 3, 0)
    write(pages / "leave.md", "# Leave\n\nEvery parent gets 20 weeks.")
    write(pages / "new.md", "# Parking\n\nCars stand behind the workshop.")
    (pages / "travel.md").unlink()
    assert _counts(house.ingest(pages)) == (1, 1, 1, 1)
    assert _agree(house)


def test_only_the_new_text_of_a_changed_page_is_found(
    house: House, pages: Path, write: Write
) -> None:
    house.ingest(pages)
    write(pages / "leave.md", "# Leave\n\nEvery parent gets 20 weeks of parental leave.")
    house.ingest(pages)
    texts = " ".join(h.text for h in house.retrieval.search("parental leave", {"everyone"}, 20))
    assert "20 weeks" in texts
    assert "18 weeks" not in texts


def test_a_deleted_page_is_never_found_again(house: House, pages: Path) -> None:
    house.ingest(pages)
    (pages / "leave.md").unlink()
    house.ingest(pages)
    assert "leave.md" not in house.found("parental leave", limit=20)
    assert house.retrieval.section("leave.md", "Sick leave", {"everyone"}) is None


def test_a_page_that_comes_back_is_found_again(house: House, pages: Path, write: Write) -> None:
    house.ingest(pages)
    text = (pages / "leave.md").read_text()
    (pages / "leave.md").unlink()
    house.ingest(pages)
    write(pages / "leave.md", text)
    assert _counts(house.ingest(pages)) == (1, 0, 2, 0)
    assert house.found("parental leave")[0] == "leave.md"
    assert _agree(house)


def test_a_page_is_withdrawn_between_the_indexes_and_the_answer(house: House, pages: Path) -> None:
    """Stale vectors are still there, as after a crash: SQL does not let them through."""
    house.ingest(pages)
    with house.database.write() as session:
        found = {d.uri: d for d in documents.documents_of(session, 1)}
        documents.withdraw(session, found["leave.md"].id)
    assert not _agree(house)
    assert "leave.md" not in house.found("parental leave", limit=20)


def test_bad_files_are_reported_and_the_rest_is_read(
    house: House, pages: Path, write: Write
) -> None:
    write(pages / "not-a-pdf.pdf", "I am a text.")
    write(pages / "binary.md", b"\x00\x01\x02")
    write(pages / "empty.md", "")
    write(pages / "headings.md", "# Only\n\n## Headings\n")
    write(pages / "sheet.xlsx", "x")
    write(pages / "deep.html", b"<div>" * 5000)
    report = house.ingest(pages)
    assert report.added == 3
    assert {s.path: s.reason for s in report.skipped} == {
        "not-a-pdf.pdf": "it is not a PDF, whatever its name says",
        "binary.md": "it is not text, whatever its name says",
        "empty.md": "there is no text in it",
        "headings.md": "there is nothing in it but headings",
        "sheet.xlsx": "files ending in .xlsx cannot be read",
        "deep.html": "it is nested too deeply",
    }


def test_a_parser_that_fails_in_a_way_nobody_thought_of_skips_one_file(
    house: House, pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ingest_module.read_page

    def failing(data: bytes, uri: str) -> object:
        if uri == "travel.md":
            raise KeyError("surprise")
        return real(data, uri)

    monkeypatch.setattr(ingest_module, "read_page", failing)
    report = house.ingest(pages)
    assert report.added == 2
    assert [(s.path, s.reason) for s in report.skipped] == [
        ("travel.md", "reading it failed (KeyError)")
    ]


def test_a_page_that_can_no_longer_be_read_keeps_what_was_read_before(
    house: House, pages: Path, write: Write
) -> None:
    house.ingest(pages)
    write(pages / "leave.md", b"\x00 broken")
    report = house.ingest(pages)
    assert "kept" in report.skipped[0].reason
    assert house.found("parental leave")[0] == "leave.md"


def test_a_page_that_was_emptied_is_withdrawn(house: House, pages: Path, write: Write) -> None:
    house.ingest(pages)
    write(pages / "leave.md", "")
    assert house.ingest(pages).deleted == 1
    assert "leave.md" not in house.found("parental leave", limit=20)


def test_nothing_is_deleted_when_a_folder_could_not_be_listed(
    house: House, pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ingest(pages)
    (pages / "leave.md").unlink()
    real = ingest_module.list_files

    def incomplete(*args: object) -> object:
        listing = real(*args)  # type: ignore[arg-type]
        return type(listing)(
            listing.location, listing.documents[:1], listing.skipped, is_complete=False
        )

    monkeypatch.setattr(ingest_module, "list_files", incomplete)
    report = house.ingest(pages)
    assert report.deleted == 0
    assert "could be listed" in report.skipped[0].reason
    assert house.found("parental leave")[0] == "leave.md"


def test_an_emptied_folder_is_taken_for_one_that_is_not_mounted(house: House, pages: Path) -> None:
    house.ingest(pages)
    shutil.rmtree(pages)
    pages.mkdir()
    report = house.ingest(pages)
    assert report.deleted == 0
    assert "mounted" in report.skipped[0].reason
    assert house.found("parental leave")[0] == "leave.md"


def test_a_folder_that_is_gone_is_said_to_be_missing_and_its_pages_stay(
    house: House, pages: Path
) -> None:
    house.ingest(pages)
    shutil.rmtree(pages)
    with pytest.raises(SourceMissing):
        house.ingest(pages)
    assert house.found("parental leave")[0] == "leave.md"


def test_an_embedder_that_fails_loses_no_page(
    house: House, pages: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ingest(pages)
    write(pages / "leave.md", "# Leave\n\nEvery parent gets 20 weeks of parental leave.")
    with monkeypatch.context() as patch:

        def fail(_self: MiniLmEmbedder, _texts: object) -> object:
            raise RuntimeError("out of memory")

        patch.setattr(MiniLmEmbedder, "embed_passages", fail)
        with pytest.raises(RuntimeError):
            house.ingest(pages)
    hits = house.retrieval.search("parental leave weeks", {"everyone"}, 1)
    assert "18 weeks" in hits[0].text
    assert house.ingest(pages).changed == 1
    hits = house.retrieval.search("parental leave weeks", {"everyone"}, 1)
    assert "20 weeks" in hits[0].text
    assert _agree(house)


def test_the_same_folder_may_be_read_for_two_audiences(house: House, pages: Path) -> None:
    house.ingest(pages, "everyone")
    assert house.ingest(pages, "channel:hr").added == 3
    assert _agree(house, "everyone")
    assert _agree(house, "channel:hr")
    assert house.found("parental leave", "channel:hr")[0] == "leave.md"


def test_awkward_names_are_read_and_found(house: House, tmp_path: Path, write: Write) -> None:
    folder = tmp_path / "pages"
    write(folder / "two\nlines.md", "# Parking\n\nCars stand behind the workshop.")
    house.ingest(folder)
    assert house.found("where do cars stand") == ["two%0Alines.md"]


def test_progress_is_told_file_by_file_to_the_end(house: House, pages: Path) -> None:
    told: list[tuple[int, int, str]] = []
    house.ingestion.ingest(pages, "everyone", lambda *step: told.append(step))
    assert told == [(0, 3, "leave.md"), (1, 3, "travel.md"), (2, 3, "people/ferie.md"), (3, 3, "")]


def test_a_long_page_is_read_in_several_batches(house: House, tmp_path: Path, write: Write) -> None:
    sections = "\n\n".join(
        f"## Rule {n}\n\nRule number {n} says that everyone keeps {n} metres of rope with them."
        for n in range(300)
    )
    write(tmp_path / "pages" / "rules.md", f"# Rules\n\n{sections}")
    assert house.ingest(tmp_path / "pages").passages == 300
    assert _agree(house)


def test_questions_are_answered_while_documents_are_read(
    house: House, pages: Path, tmp_path: Path, write: Write
) -> None:
    house.ingest(pages)
    for n in range(40):
        write(tmp_path / "more" / f"{n}.md", f"# Rope {n}\n\nRope number {n} is {n} metres long.")
    found: list[bool] = []
    is_done = threading.Event()

    def ask() -> None:
        while not is_done.is_set():
            found.append("leave.md" in house.found("weeks of parental leave"))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        assert house.ingest(tmp_path / "more").added == 40
        (tmp_path / "more" / "0.md").unlink()
        assert house.ingest(tmp_path / "more").deleted == 1
    finally:
        is_done.set()
        for asker in askers:
            asker.join()
    assert found
    assert all(found)
    assert _agree(house)
