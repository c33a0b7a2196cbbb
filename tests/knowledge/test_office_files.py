"""Word, Excel and files of values: their tables and headings stay, and bombs are not opened."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import docx
import openpyxl
import pytest

from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import read_page


def _word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Travel"
    document.core_properties.author = "Ingrid Solheim"
    document.add_heading("Travel", 1)
    document.add_paragraph("Trains come first.")
    document.add_heading("Meals", 2)
    document.add_paragraph("Breakfast", style="List Bullet")
    document.add_paragraph("Dinner", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("City", "Euros a day", "Bergen", "55"), strict=True):
        cell.text = text
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _workbook(columns: int = 3) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Rates"
    sheet.append(["City", "Euros", "From", *(f"Extra {n}" for n in range(columns - 3))][:columns])
    sheet.append(["Bergen", 55.0, date(2026, 5, 1), *range(columns - 3)][:columns])
    workbook.create_sheet("Hidden").sheet_state = "hidden"
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def test_a_word_document_keeps_headings_lists_tables_and_who_wrote_it() -> None:
    page = read_page(_word(), "travel.docx")
    assert (page.title, page.owner) == ("Travel", "Ingrid Solheim")
    assert "# Travel\n\nTrains come first.\n\n## Meals\n\n- Breakfast\n- Dinner" in page.text
    assert "| City | Euros a day |\n| --- | --- |\n| Bergen | 55 |" in page.text


def test_a_workbook_is_a_table_for_each_visible_sheet() -> None:
    page = read_page(_workbook(), "rates.xlsx")
    assert "## Rates\n\n| City | Euros | From |" in page.text
    assert "| Bergen | 55 | 2026-05-01 |" in page.text
    assert "Hidden" not in page.text


def test_an_empty_margin_is_no_part_of_a_table() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["C4"], sheet["D4"], sheet["C5"], sheet["D5"] = "City", "Euros", "Bergen", 55
    written = io.BytesIO()
    workbook.save(written)
    table = "| City | Euros |\n| --- | --- |\n| Bergen | 55 |"
    assert read_page(written.getvalue(), "rates.xlsx").text == f"## Sheet\n\n{table}"


def test_a_row_too_wide_for_a_table_is_read_head_by_head() -> None:
    text = read_page(_workbook(columns=12), "rates.xlsx").text
    assert "- City: Bergen\n- Euros: 55\n- From: 2026-05-01\n- Extra 0: 0" in text


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_separated_values_are_a_table_whatever_separates_them(mark: str) -> None:
    rows = [["City", "Euros"], ["Bergen", "55"], ["Ålesund", "48"]]
    data = "\n".join(mark.join(row) for row in rows).encode()
    assert "| Ålesund | 48 |" in read_page(data, "rates.csv").text


def test_a_bomb_is_not_opened() -> None:
    bomb = io.BytesIO(_word())
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(f"word/bomb{n}.bin", b"\0" * 100_000_000)
    assert len(bomb.getvalue()) < 2_000_000
    with pytest.raises(FileUnreadable, match="zip bomb"):
        read_page(bomb.getvalue(), "bomb.docx")


def test_entities_are_refused_before_a_parser_sees_them() -> None:
    laughs = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_word())) as old, zipfile.ZipFile(laughs, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                content = content.replace(b"?>", b'?><!DOCTYPE l [<!ENTITY a "ha">]>', 1)
            new.writestr(name, content)
    with pytest.raises(FileUnreadable, match="declares entities"):
        read_page(laughs.getvalue(), "laughs.docx")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"plain text", "whatever its name says"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged"),
    ],
)
def test_what_is_no_word_document_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FileUnreadable, match=reason):
        read_page(data, "letter.docx")


def test_a_workbook_with_another_ending_is_told_apart() -> None:
    with pytest.raises(FileUnreadable, match="not a Word document"):
        read_page(_workbook(), "rates.docx")


def test_an_empty_table_is_empty() -> None:
    with pytest.raises(FileEmpty):
        read_page(b"\n,,\n", "empty.csv")
