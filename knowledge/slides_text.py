"""Presentations as Markdown: each slide under its title, with its lists, tables and notes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from knowledge.listing import FileUnreadable
from knowledge.office_file import check_office_file, damage_told
from knowledge.written_text import WrittenText, heading, joined, one_line, table, without_marks

#: More slides than anyone shows.
MOST_SLIDES = 2_000

#: A chart with more numbers is a picture; its numbers belong to the workbook it was made from.
_MOST_VALUES = 200

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"

#: Placeholders that say the same on each slide.
_REPEATED = frozenset(("DATE", "FOOTER", "HEADER", "SLIDE_NUMBER"))
_LISTS = frozenset(("BODY", "OBJECT", "VERTICAL_BODY", "VERTICAL_OBJECT"))


def read_slides(data: bytes) -> WrittenText:
    """Read a PowerPoint presentation; slides that are hidden are left out.

    Raises:
        FileUnreadable: it is none, damaged, protected by a password, a bomb, or too large.
    """
    import pptx

    fields = check_office_file(data, "PowerPoint")
    with damage_told("the presentation"):
        opened: Any = pptx.Presentation(io.BytesIO(data))
        if len(opened.slides) > MOST_SLIDES:
            raise FileUnreadable(f"it has more than {MOST_SLIDES:,} slides")
        parts = tuple(
            _slide(slide, number)
            for number, slide in enumerate(opened.slides, start=1)
            if slide._element.get("show") not in ("0", "false")
        )
    written = tuple(part for part in parts if part)
    if not fields.get("title") and written:
        first = written[0].partition("\n")[0].removeprefix("## ")
        fields = {**fields, "title": None if first.startswith("Slide ") else first}
    return WrittenText(written, fields)


def _slide(slide: Any, number: int) -> str:
    """Return a slide as a section, or nothing if there is no text on it."""
    title = slide.shapes.title
    name = one_line(title.text) if title is not None and title.has_text_frame else ""
    shapes = [
        each
        for each in _shapes(slide.shapes)
        if title is None or each._element is not title._element
    ]
    body = joined([*_blocks(shapes), _notes(slide)])
    if not body and not name:
        return ""
    return joined([heading(2, name or f"Slide {number}"), body])


def _shapes(shapes: Iterable[Any]) -> Iterator[Any]:
    """Yield shapes as the eye meets them: from the top, then from the left; groups together."""
    for shape in sorted(shapes, key=lambda each: (each.top or 0, each.left or 0)):
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _blocks(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in shapes:
        kind = shape.placeholder_format.type.name if shape.is_placeholder else ""
        if kind in _REPEATED:
            continue
        if getattr(shape, "has_table", False):
            yield table([cell.text for cell in row.cells] for row in shape.table.rows)
        elif getattr(shape, "has_chart", False):
            yield _chart(shape.chart)
        elif shape.has_text_frame:
            yield _text(shape.text_frame.paragraphs, is_list=kind in _LISTS)


def _text(paragraphs: Iterable[Any], *, is_list: bool) -> str:
    """Return paragraphs as a list where they are shown as one, else one under the other."""
    written = [(each, text) for each in paragraphs if (text := _linked(each))]
    blocks: list[str] = []
    items: list[str] = []
    for paragraph, text in written:
        mark = _bullet(paragraph, is_list and len(written) > 1)
        if mark:
            items.append(f"{'  ' * paragraph.level}{mark} {text}")
            continue
        blocks += ["\n".join(items)] if items else []
        items = []
        blocks.append(without_marks(text))
    return joined([*blocks, "\n".join(items)])


def _bullet(paragraph: Any, is_list: bool) -> str:
    properties = paragraph._p.pPr
    if properties is not None:
        if properties.find(f"{_DRAWING}buNone") is not None:
            return ""
        if properties.find(f"{_DRAWING}buAutoNum") is not None:
            return "1."
        if any(properties.find(_DRAWING + mark) is not None for mark in ("buChar", "buBlip")):
            return "-"
    return "-" if is_list else ""


def _linked(paragraph: Any) -> str:
    """Return a paragraph's text, the targets of its links behind their words."""
    text = paragraph.text
    for run in paragraph.runs:
        target = run.hyperlink.address
        said = run.text.strip()
        if said and target and target.startswith(("https://", "http://")) and said != target:
            text = text.replace(said, f"{said} ({target})", 1)
    return one_line(text)


def _chart(chart: Any) -> str:
    """Return the numbers of a chart as a table."""
    series = [each for plot in chart.plots for each in plot.series]
    names = [str(name) for name in chart.plots[0].categories] if series else []
    title = ""
    if chart.has_title and chart.chart_title.has_text_frame:
        title = one_line(chart.chart_title.text_frame.text)
    if not names or len(names) * len(series) > _MOST_VALUES:
        return title
    rows = [["", *(str(each.name) for each in series)]]
    for number, name in enumerate(names):
        rows.append([name, *(_value(each.values, number) for each in series)])
    return joined([title, table(rows)])


def _value(values: Any, number: int) -> str:
    value = values[number] if number < len(values) else None
    return "" if value is None else f"{value:g}"


def _notes(slide: Any) -> str:
    frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    written = _text(frame.paragraphs, is_list=False) if frame is not None else ""
    return f"Notes: {written}" if written else ""
