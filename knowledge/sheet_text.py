"""Spreadsheets and files of values as Markdown tables, one for each sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from knowledge.listing import FileUnreadable
from knowledge.office_file import check_office_file, damage_told
from knowledge.written_text import WrittenText, heading, joined, one_line, table

#: More rows than this in a sheet are data, not something that people read.
MOST_ROWS = 20_000
MOST_COLUMNS = 200

#: Wider rows are written as `Head: value` lines: nobody can read such a table.
WIDEST_TABLE = 8


def read_workbook(data: bytes) -> WrittenText:
    """Read an Excel workbook: the values as they were last computed, hidden sheets left out.

    Raises:
        FileUnreadable: it is none, damaged, protected by a password, a bomb, or too large.
    """
    import openpyxl

    fields = check_office_file(data, "Excel")
    with damage_told("the workbook"):
        opened: Any = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
        parts = tuple(
            joined([heading(2, sheet.title), _written(_values(sheet))])
            for sheet in opened.worksheets
            if sheet.sheet_state == "visible"
        )
        opened.close()
    return WrittenText(parts, fields)


def read_values(text: str, delimiters: str = ",;\t") -> WrittenText:
    """Read a file of values separated by commas, semicolons or tabs.

    Raises:
        FileUnreadable: it has too many rows, or a value without an end.
    """
    sample = text[:10_000]
    counts = {mark: sample.count(mark) for mark in delimiters}
    delimiter = max(counts, key=lambda mark: counts[mark])
    try:
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), MOST_ROWS + 1))
    except csv.Error as error:
        raise FileUnreadable(f"its values cannot be told apart ({error})") from error
    return WrittenText((_written(rows),))


def _values(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what a file says of its own size is often wrong
    for row in sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS):
        yield [_shown(value) for value in row]


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _written(rows: Iterable[Sequence[str]]) -> str:
    filled = []
    for row in rows:
        cells = [one_line(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            filled.append(cells)
        if len(filled) > MOST_ROWS:
            raise FileUnreadable(f"it has more than {MOST_ROWS:,} rows: data, not a page")
    if not filled:
        return ""
    margin = min(next(n for n, cell in enumerate(row) if cell) for row in filled)
    filled = [row[margin:] for row in filled]
    if max(map(len, filled)) <= WIDEST_TABLE:
        return table(filled)
    head, *rest = filled
    return "\n\n".join(
        "\n".join(
            f"- {head[n] if n < len(head) and head[n] else f'Column {n + 1}'}: {cell}"
            for n, cell in enumerate(row)
            if cell
        )
        for row in rest
    )
