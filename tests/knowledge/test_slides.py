"""Presentations: a section for each slide, with its lists, tables, numbers, links and notes."""

from __future__ import annotations

import io
from typing import Any

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import read_page


def _saved(presentation: Any) -> bytes:
    written = io.BytesIO()
    presentation.save(written)
    return written.getvalue()


def _presentation() -> Any:
    made = pptx.Presentation()
    made.core_properties.title = "PowerPoint Presentation"
    made.core_properties.author = "Ingrid Solheim"
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text = "Onboarding"
    first.placeholders[1].text = "People team, 2026"
    second = made.slides.add_slide(made.slide_layouts[1])
    second.shapes.title.text = "The first week"
    frame = second.placeholders[1].text_frame
    frame.text = "Fetch your laptop"
    inner = frame.add_paragraph()
    inner.text, inner.level = "At the desk on floor 2", 1
    linked = frame.add_paragraph().add_run()
    linked.text = "Read the handbook"
    linked.hyperlink.address = "https://handbook.example.com"
    second.notes_slide.notes_text_frame.text = "Remind them of lunch."
    return made


def _text(presentation: Any) -> str:
    return read_page(_saved(presentation), "deck.pptx").text


def test_titles_are_headings_bodies_lists_and_notes_are_read() -> None:
    page = read_page(_saved(_presentation()), "deck.pptx")
    assert (page.title, page.owner) == ("Onboarding", "Ingrid Solheim")
    assert page.text == (
        "## Onboarding\n\nPeople team, 2026\n\n## The first week\n\n"
        "- Fetch your laptop\n  - At the desk on floor 2\n"
        "- Read the handbook (https://handbook.example.com)\n\nNotes: Remind them of lunch."
    )


def test_tables_and_charts_are_tables_and_boxes_are_read_from_the_top() -> None:
    made = _presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Rates"
    low = slide.shapes.add_textbox(Inches(1), Inches(6), Inches(3), Inches(1))
    low.text_frame.text = "# Valid from May"
    cells = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for cell, text in zip(cells.iter_cells(), ("City", "Euros", "Bergen", "55"), strict=True):
        cell.text = text
    numbers = CategoryChartData()
    numbers.categories = ["2025", "2026"]
    numbers.add_series("Travellers", (12, 19.5))
    slide.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), numbers
    )
    assert _text(made).endswith(
        "## Rates\n\n| City | Euros |\n| --- | --- |\n| Bergen | 55 |\n\n"
        "|  | Travellers |\n| --- | --- |\n| 2025 | 12 |\n| 2026 | 19.5 |\n\n\\# Valid from May"
    )


def test_groups_are_read_and_hidden_slides_are_not() -> None:
    made = _presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "Inside a group"
    hidden = made.slides.add_slide(made.slide_layouts[5])
    hidden.shapes.title.text = "Draft of the layoffs"
    hidden._element.set("show", "0")
    text = _text(made)
    assert text.endswith("## Slide 3\n\nInside a group")
    assert "layoffs" not in text


def test_slides_without_a_word_are_empty_and_other_files_are_refused() -> None:
    blank = pptx.Presentation()
    blank.slides.add_slide(blank.slide_layouts[6])
    with pytest.raises(FileEmpty):
        _text(blank)
    with pytest.raises(FileUnreadable, match="not a PowerPoint presentation"):
        read_page(b"Hello", "deck.pptx")
    with pytest.raises(FileUnreadable, match="damaged"):
        read_page(_saved(_presentation())[:5000], "deck.pptx")
