from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from knowledge import ingest as ingest_module
from knowledge.embedder import MiniLmEmbedder
from knowledge.ingest import Ingestion, SyncStopped
from knowledge.listing import SourceMissing
from knowledge.readers import Page, read_page
from storage import documents, pairs, sources
from storage.pairs import NewPair, PairSource

if TYPE_CHECKING:
    from tests.knowledge.conftest import Write
    from tests.knowledge.house import House


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


def test_of_a_changed_page_only_what_is_new_is_embedded(
    house: House, pages: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = [
        f"## Rule {n}\n\nRule {n} is about the {n}. boat in the harbour, its ropes and sails."
        for n in range(30)
    ]
    write(pages / "boats.md", "\n\n".join(["# Boats", *sections]))
    house.ingest(pages)
    before = house.index.count("passages", "everyone")
    embedded: list[str] = []
    embed = MiniLmEmbedder.embed_passages

    def recording(self: MiniLmEmbedder, texts: Sequence[str]) -> Any:
        embedded.extend(texts)
        return embed(self, texts)

    monkeypatch.setattr(MiniLmEmbedder, "embed_passages", recording)
    sections[7] = "## Rule 7\n\nRule 7 says that the marmot Olga sails the seventh boat on Sundays."
    write(pages / "boats.md", "\n\n".join(["# Boats", *sections]))
    house.ingest(pages)
    assert 1 <= len(embedded) <= 2
    assert any("Olga" in text for text in embedded)
    assert house.index.count("passages", "everyone") == before
    assert _agree(house)
    found = house.retrieval.search("Who sails the seventh boat on Sundays?", {"everyone"}, 1)
    assert "Olga" in found[0].text
    assert "3. boat" in house.retrieval.search("Rule 3: the 3. boat", {"everyone"}, 1)[0].text


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
    write(pages / "sheet.odt", "x")
    write(pages / "deep.html", b"<div>" * 5000)
    report = house.ingest(pages)
    assert report.added == 3
    assert {s.path: s.reason for s in report.skipped} == {
        "not-a-pdf.pdf": "it is not a PDF, whatever its name says",
        "binary.md": "it is not text, whatever its name says",
        "empty.md": "there is no text in it",
        "headings.md": "there is nothing in it but headings",
        "sheet.odt": "files ending in .odt cannot be read",
        "deep.html": "it is nested too deeply",
    }


def test_a_parser_that_fails_in_a_way_nobody_thought_of_skips_one_file(
    house: House, pages: Path
) -> None:
    def failing(data: bytes, uri: str) -> Page:
        if uri == "travel.md":
            raise KeyError("surprise")
        return read_page(data, uri)

    report = Ingestion(house.database, house.indexes, read=failing).ingest(pages, "everyone")
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


def test_a_page_that_moved_keeps_its_passages_and_is_found_under_its_new_address(
    house: House, pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ingest(pages)
    before = house.retrieval.search("parental leave", {"everyone"}, 1)[0]
    (pages / "people" / "leave").mkdir(parents=True)
    (pages / "leave.md").rename(pages / "people" / "leave" / "parents.md")

    def fail(_self: MiniLmEmbedder, _texts: object) -> object:
        raise AssertionError("a page that only moved is not embedded again")

    monkeypatch.setattr(MiniLmEmbedder, "embed_passages", fail)
    report = house.ingest(pages)
    assert (report.moved, report.added, report.deleted) == (1, 0, 0)
    after = house.retrieval.search("parental leave", {"everyone"}, 1)[0]
    assert (after.id, after.uri) == (before.id, "people/leave/parents.md")
    assert house.retrieval.section("leave.md", before.heading, {"everyone"}) is not None
    assert _agree(house)
    assert house.ingest(pages).unchanged == 3


def test_two_pages_that_change_places_are_read_anew(house: House, pages: Path) -> None:
    house.ingest(pages)
    (pages / "leave.md").rename(pages / "x.md")
    (pages / "travel.md").rename(pages / "leave.md")
    (pages / "x.md").rename(pages / "travel.md")
    assert house.ingest(pages).changed == 2
    assert house.found("parental leave")[0] == "travel.md"
    assert _agree(house)


def test_most_of_a_source_is_not_deleted_unasked(
    house: House, tmp_path: Path, write: Write
) -> None:
    folder = tmp_path / "many"
    for n in range(40):
        write(folder / f"{n}.md", f"# Rope {n}\n\nRope number {n} is {n} metres long.")
    house.ingest(folder)
    for n in range(30):
        (folder / f"{n}.md").unlink()
    report = house.ingest(folder)
    assert report.deleted == 0
    assert "30 of 40 pages are gone at once" in report.skipped[0].reason
    assert "0.md" in house.found("how long is rope number 0", limit=20)
    assert house.ingestion.ingest(folder, "everyone", allow_deletions=True).deleted == 30
    assert "0.md" not in house.found("how long is rope number 0", limit=20)
    assert _agree(house)


def test_a_removed_source_leaves_no_trace(house: House, pages: Path, tmp_path: Path) -> None:
    shutil.copytree(pages, tmp_path / "others")
    house.ingest(pages)
    house.ingest(tmp_path / "others", "channel:hr")
    (removal,) = house.ingestion.remove(str(pages), None, "U1")
    assert removal.passages == 6
    with house.database.read() as session:
        assert [s.audience for s in sources.listed(session)] == ["channel:hr"]
        assert documents.all_audiences(session) == {"channel:hr"}
    assert house.index.count("passages", "everyone") == 0
    assert house.found("parental leave") == []
    assert house.found("parental leave", "channel:hr")[0] == "leave.md"
    assert _agree(house)
    assert house.ingestion.remove(str(pages), None, "U1") == ()
    assert house.ingest(pages).added == 3


def test_a_sync_that_is_stopped_goes_on_where_it_was(
    house: House, tmp_path: Path, write: Write
) -> None:
    folder = tmp_path / "many"
    for n in range(200):
        write(folder / f"{n:03}.md", f"# Rope {n}\n\nRope number {n} is {n} metres long.")

    def stop_at_150(done: int, _all: int, _name: str) -> None:
        if done == 150:
            house.ingestion.stop()

    with pytest.raises(SyncStopped):
        house.ingestion.ingest(folder, "everyone", stop_at_150)
    again = Ingestion(house.database, house.indexes).ingest(folder, "everyone")
    assert again.unchanged >= 128
    assert again.added + again.unchanged == 200
    assert _agree(house)


def _verified(house: House, *sources_of_it: PairSource) -> int:
    with house.database.write() as session:
        pair = pairs.propose(
            session,
            NewPair(
                input="How long is parental leave?",
                output="18 weeks.",
                author="U1",
                origin="slack",
                origin_key="k1",
                sources=sources_of_it,
            ),
        )
        return pairs.approve(session, pair.id, "U1").id


def test_a_verified_answer_is_marked_when_the_section_it_rests_on_changes(
    house: House, pages: Path, write: Write
) -> None:
    house.ingest(pages)
    hit = house.retrieval.search("parental leave", {"everyone"}, 1)[0]
    pair_id = _verified(house, PairSource(hit.uri, hit.heading))
    text = (pages / "leave.md").read_text()
    write(pages / "leave.md", text + "\n## Something else\n\nA new section at the end of it.\n")
    house.ingest(pages)
    with house.database.read() as session:
        assert pairs.to_review(session) == (), "another section is none of its business"
    write(pages / "leave.md", text.replace("18 weeks", "20 weeks"))
    house.ingest(pages)
    with house.database.read() as session:
        (marked,) = pairs.to_review(session)
    assert marked.id == pair_id
    assert "has changed since" in str(marked.review_reason)
    with house.database.write() as session:
        assert pairs.confirm(session, pair_id, "U1").review_since is None


def test_a_verified_answer_is_marked_when_its_page_is_gone(house: House, pages: Path) -> None:
    house.ingest(pages)
    hit = house.retrieval.search("parental leave", {"everyone"}, 1)[0]
    _verified(house, PairSource(hit.uri, hit.heading))
    (pages / hit.uri).unlink()
    house.ingest(pages)
    with house.database.read() as session:
        (marked,) = pairs.to_review(session)
    assert "is gone" in str(marked.review_reason)


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
