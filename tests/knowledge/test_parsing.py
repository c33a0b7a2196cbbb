"""Whatever a file does to its parser: it is skipped with a reason, and the next one is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge.ingest import Ingestion
from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.parsing import Parsing, ParsingLimits
from knowledge.readers import SUFFIXES, Page, read_page

if TYPE_CHECKING:
    from tests.knowledge.conftest import Write
    from tests.knowledge.house import House

FILES = Path(__file__).parents[3] / "shared" / "data" / "files"
LARGE = b"# Leave\n\n" + b"Everybody has 27 days. " * 4000


def _pdf(content: bytes, pages: bytes = b"/Count 1/Kids[3 0 R]") -> bytes:
    """A PDF whose one page draws `content`."""
    packed = zlib.compress(content, 9)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages%s>>" % pages,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources"
        b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
    )
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\n" % table
    return data + b"startxref\n%d\n%%%%EOF" % start


LINE = b"BT /F1 12 Tf 72 700 Td (Book early) Tj ET\n"
GOOD = _pdf(LINE)
SLOW = _pdf(LINE * 500_000)  # many seconds, from 50 kilobytes


@pytest.fixture
def parsing() -> Iterator[Parsing]:
    opened = Parsing()
    yield opened
    opened.close()


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_small_plain_files_are_read_without_starting_anything(parsing: Parsing) -> None:
    assert parsing.read_page(b"# Leave\n\n27 days.", "leave.md").title == "Leave"
    assert parsing.process_id is None


def test_one_process_reads_many_files_and_gives_what_the_reader_gives(parsing: Parsing) -> None:
    expected = read_page(LARGE, "leave.md")
    assert parsing.read_page(LARGE, "leave.md") == expected
    first = parsing.process_id
    assert first is not None
    assert parsing.read_page(GOOD, "travel.pdf").text == "Book early"
    assert parsing.process_id == first


def test_what_a_file_says_of_itself_comes_through(parsing: Parsing) -> None:
    front = (
        b"---\ntitle: Leave\nowner: Ingrid Moen\nupdated: 2026-03-01\nreview_by: 2027-03-01\n---\n"
    )
    page = parsing.read_page(front + LARGE, "leave.md")
    assert page == read_page(front + LARGE, "leave.md")
    assert page.owner == "Ingrid Moen"
    assert page.reviewed_until is not None


def test_the_reason_for_which_there_is_no_page_comes_through(parsing: Parsing) -> None:
    with pytest.raises(FileUnreadable, match="not a PDF"):
        parsing.read_page(b"Hello", "a.pdf")
    with pytest.raises(FileEmpty):
        parsing.read_page(b" " * 100_000, "a.txt")


def test_a_parser_that_computes_for_ever_is_ended_and_the_next_file_is_read() -> None:
    parsing = Parsing(ParsingLimits(processor_seconds=1))
    try:
        with pytest.raises(FileUnreadable, match="more than 1 seconds of computing"):
            parsing.read_page(SLOW, "slow.pdf")
        assert parsing.read_page(GOOD, "travel.pdf").text == "Book early"
    finally:
        parsing.close()


def test_the_process_stays_however_much_memory_the_bot_itself_uses(parsing: Parsing) -> None:
    models = bytearray(1_200 * 1024**2)
    models[::4096] = b"x" * len(models[::4096])  # touched, so that it counts
    parsing.read_page(GOOD, "travel.pdf")
    first = parsing.process_id
    parsing.read_page(GOOD, "travel.pdf")
    assert parsing.process_id == first


def test_a_parser_that_hangs_is_ended_and_the_next_file_is_read() -> None:
    parsing = Parsing(ParsingLimits(seconds=1.5))
    try:
        parsing.read_page(GOOD, "travel.pdf")
        assert parsing.process_id is not None
        os.kill(parsing.process_id, signal.SIGSTOP)
        with pytest.raises(FileUnreadable, match="longer than"):
            parsing.read_page(GOOD, "travel.pdf")
        assert parsing.read_page(GOOD, "travel.pdf").text == "Book early"
    finally:
        parsing.close()


def test_a_parser_that_asks_for_more_memory_than_it_may_have_gives_up_alone() -> None:
    parsing = Parsing(ParsingLimits(memory=300 * 1024**2))
    try:
        with pytest.raises(FileUnreadable, match="memory"):
            parsing.read_page(b"<p>" + b"<b>x</b>" * 1_500_000, "huge.html")
        assert parsing.read_page(GOOD, "travel.pdf").text == "Book early"
    finally:
        parsing.close()


def test_a_parser_that_crashes_takes_nobody_with_it(parsing: Parsing) -> None:
    parsing.read_page(GOOD, "travel.pdf")
    process_id = parsing.process_id
    assert process_id is not None
    crash = threading.Timer(0.5, os.kill, (process_id, signal.SIGSEGV))
    crash.start()
    with pytest.raises(FileUnreadable, match=r"crashed the parser .*SIGSEGV"):
        parsing.read_page(SLOW, "slow.pdf")
    crash.join()
    assert parsing.read_page(GOOD, "travel.pdf").text == "Book early"


def test_a_process_that_went_between_two_files_is_not_held_against_the_second(
    parsing: Parsing,
) -> None:
    parsing.read_page(GOOD, "travel.pdf")
    assert parsing.process_id is not None
    os.kill(parsing.process_id, signal.SIGKILL)
    time.sleep(0.2)
    assert parsing.read_page(GOOD, "travel.pdf").text == "Book early"


def test_no_process_is_left_when_reading_is_over() -> None:
    closed, forgotten = Parsing(), Parsing()
    for parsing in (closed, forgotten):
        parsing.read_page(GOOD, "travel.pdf")
    ids = [closed.process_id, forgotten.process_id]
    closed.close()
    del parsing, forgotten
    assert all(each is not None and not _is_running(each) for each in ids)


def test_a_stop_does_not_wait_for_a_slow_file(parsing: Parsing) -> None:
    parsing.read_page(GOOD, "travel.pdf")
    stop = threading.Timer(0.5, parsing.interrupt)
    stop.start()
    began = time.monotonic()
    with pytest.raises(FileUnreadable):
        parsing.read_page(SLOW, "slow.pdf")
    assert time.monotonic() - began < 3
    stop.join()


def test_the_process_starts_quickly_knows_no_secret_and_may_not_reach_out() -> None:
    program = """
import os, socket, subprocess, sys
from knowledge import parsing_child, readers
heavy = [each for each in ("torch", "chromadb", "llama_index") if each in sys.modules]
parsing_child.confine(10**9)
def said(function, *given):
    try:
        function(*given)
    except OSError as error:
        return type(error).__name__
    return "allowed"
print(heavy, said(socket.create_connection, ("127.0.0.1", 9)), said(subprocess.run, ["true"]),
      said(os.remove, "/tmp/x"), said(os.system, "true"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split("] ")[0] == "["
    assert done.stdout.split("] ")[1].split() == ["PermissionError"] * 4


def test_the_bot_s_secrets_are_not_in_the_process(
    parsing: Parsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    parsing.read_page(GOOD, "travel.pdf")
    environment = Path(f"/proc/{parsing.process_id}/environ")
    if not environment.exists():
        pytest.skip("this system does not show the environment of a process")
    assert b"xoxb-secret" not in environment.read_bytes()


def test_a_source_with_a_hostile_file_is_read_in_but_for_that_file(
    house: House, tmp_path: Path, write: Write
) -> None:
    folder = tmp_path / "files"
    write(folder / "a-slow.pdf", SLOW)
    write(folder / "b-good.pdf", GOOD)
    write(folder / "c-good.md", "# Leave\n\nEverybody has 27 days.")
    limited = Parsing(ParsingLimits(processor_seconds=1))
    ingestion = Ingestion(house.database, house.indexes, read=limited.read_page)
    try:
        report = ingestion.ingest(folder, "everyone")
    finally:
        limited.close()
        ingestion.close()
    assert report.added == 2
    (skipped,) = report.skipped
    assert skipped.path == "a-slow.pdf"
    assert "seconds of computing" in skipped.reason


def test_closing_ingestion_ends_the_process(house: House, tmp_path: Path, write: Write) -> None:
    write(tmp_path / "files" / "travel.pdf", GOOD)
    house.ingest(tmp_path / "files")
    process_id = house.ingestion._parsing.process_id
    assert process_id is not None
    house.ingestion.close()
    assert not _is_running(process_id)


def test_every_real_file_is_read_or_skipped_with_a_reason(parsing: Parsing) -> None:
    if not FILES.is_dir():
        pytest.skip("the collection of real files is not on this machine")
    files = [path for path in sorted(FILES.rglob("*")) if path.suffix.lower() in SUFFIXES]
    assert len({path.suffix for path in files}) >= 8
    read: dict[str, Page] = {}
    reasons: dict[str, str] = {}
    for path in files:
        try:
            read[path.name] = parsing.read_page(path.read_bytes(), path.name)
        except FileUnreadable as unreadable:
            reasons[path.name] = str(unreadable)
    assert all(path.suffix == ".pdf" for path in map(Path, reasons))
    assert "password" in reasons["encrypted.pdf"]
    assert "OCR" in reasons["non_text_searchable.pdf"]
    assert "Page one content" in read["multipage.pdf"].text
    assert read["with_metadata.pdf"].owner == "Jane Doe"
    assert "- This is a bullet point" in read["sample_pptx.pptx"].text
    assert "(https://example.com)" in read["sample_pptx_with_link.pptx"].text
    assert "| Healthcare | Predictive diagnostics |" in read["sample_docx_3.docx"].text
    assert read["sample.msg"].title == "This is a Subject"
    assert "Attached: sample_pdf_1.pdf" in read["sample.msg"].text
    assert read["table_empty_rows_and_columns.xlsx"].text.count("| 1.5 | test |") == 1
    assert len(read) + len(reasons) == len(files)
