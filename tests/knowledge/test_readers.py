from __future__ import annotations

import io
import time
from datetime import UTC, datetime

import pytest

from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import read_page


def _pdf(*texts: str, password: str = "") -> bytes:
    """A PDF with a line of text on each page."""
    from pypdf import PdfReader, PdfWriter

    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(texts)))
    objects.append(f"<</Type/Pages/Count {len(texts)}/Kids[{kids}]>>".encode())
    for n, text in enumerate(texts):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 "
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
            + f"/Contents {4 + 2 * n} 0 R>>".encode()
        )
        drawn = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode() if text else b""
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    data += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n" % (len(objects) + 1)
    data += b"%d\n%%%%EOF" % data.rindex(b"xref\n0")
    if not password:
        return data
    writer = PdfWriter(PdfReader(io.BytesIO(data)))
    writer.encrypt(password, algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def test_front_matter_gives_title_owner_and_dates() -> None:
    page = read_page(
        b"---\ntitle: Leave\nowner: Ingrid Moen\nupdated: 2026-03-01\n"
        b"reviewed_until: 2027-03-01T12:00:00+02:00\n---\n# Being away\nText.",
        "people/leave.md",
    )
    assert (page.title, page.owner) == ("Leave", "Ingrid Moen")
    assert page.updated_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert page.reviewed_until == datetime.fromisoformat("2027-03-01T12:00:00+02:00")
    assert "updated" not in page.text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Being *away*\n\nText.", "Being away"),
        ("Text without a heading.", "Parental leave"),
        ("---\ntitle: [broken\n---\n# Leave\nText.", "Leave"),
        ("---\n- a list\n---\nText.", "Parental leave"),
        ("---\ntitle: 2026\nupdated: someday\n---\nText.", "2026"),
    ],
)
def test_a_title_is_found_wherever_it_stands(text: str, title: str) -> None:
    assert read_page(text.encode(), "people/parental-leave.md").title == title


def test_an_index_page_without_a_title_is_named_for_its_folder() -> None:
    assert read_page(b"Text.", "people/time-off/index.md").title == "Time off"


def test_markdown_loses_what_only_a_browser_needs() -> None:
    page = read_page(
        b"Ask [the desk](https://example.com/a_(b)) in **two** _days_, not snake_case_names. "
        b"![logo](x.png)<!-- hidden -->\n<div class='x'>Kept &amp; plain</div>\n"
        b"`**code** <b>` stays.\n\n```\n# not a heading **raw**\n```\n",
        "a.md",
    )
    assert "Ask the desk in two days, not snake_case_names." in page.text
    assert "Kept & plain" in page.text
    assert "`**code** <b>` stays." in page.text
    assert "# not a heading **raw**" in page.text
    for gone in ("hidden", "example.com", "<div"):
        assert gone not in page.text


def test_mdx_loses_its_program_and_keeps_its_words() -> None:
    page = read_page(
        b"""---
title: Praktisk
---
import {
  List,
} from 'src/list';
import './style.css'
export const meta = {
  tags: ['a', 'b'],
}
export default function Layout({ children }) {
  return <div>{children}</div>;
}

# Praktisk {#praktisk}

<img
  src='./a.svg'
/>
{/* a <b>comment</b> */}
<Note tone={1} onClick={() => go('a > b')}>Husk kvittering.</Note>
{isOslo && (
  <p>Bare i **Oslo**.</p>
)}
We import goods and export them; a < b and \\{so on\\} {`as a template`}.

`a {code} <b>` stays.
""",
        "praktisk.mdx",
    )
    lines = [line.strip() for line in page.text.split("\n") if line.strip()]
    assert page.title == "Praktisk"
    assert lines == [
        "# Praktisk",
        "Husk kvittering.",
        "Bare i Oslo.",
        "We import goods and export them; a < b and {so on} as a template.",
        "`a {code} <b>` stays.",
    ]


def test_words_in_the_attributes_of_components_are_kept_and_their_looks_are_not() -> None:
    page = read_page(
        b"""<Tabs className="wide tabs" items={['Oslo', 'Bergen']} width="Full">
  <Tab dep={["Trondheim", 'Molde']} icon="Sun">`faktura@example.com`</Tab>
</Tabs>
<ListLink text="Registrer reiseutslipp" figureName="leaf" href="https://example.com/A b" />
<Callout type="Warning" text='Never share passwords.' style={{ color: 'Red' }} />
<Fact heading="Travel" text="All of Europe" suffix="by train." />
""",
        "faktura.mdx",
    )
    lines = [line.strip() for line in page.text.split("\n") if line.strip()]
    assert lines == [
        "Oslo, Bergen:",
        "Trondheim, Molde: `faktura@example.com`",
        "Registrer reiseutslipp",
        "Never share passwords.",
        "Travel. All of Europe by train.",
    ]


@pytest.mark.parametrize("piece", ["{ ", "<A ", "{'", "<A b='", "{<a>", "import {\n", "**a ", "!["])
@pytest.mark.parametrize("name", ["a.md", "a.mdx"])
def test_a_page_full_of_beginnings_without_an_end_takes_seconds_at_most(
    piece: str, name: str
) -> None:
    began = time.monotonic()
    read_page(b"# Leave\n\n" + (piece * (60_000 // len(piece))).encode(), name)
    assert time.monotonic() - began < 8


def test_html_keeps_headings_lists_tables_and_code_of_the_main_part() -> None:
    page = read_page(
        b"<html><head><title>Leave</title><meta name=author content='Ingrid Moen'></head><body>"
        b"<nav>Home About</nav><main><h1>Leave</h1><p>One<br>two <b>three</b></p>"
        b"<ul><li>first<ul><li>inner</li></ul></li><li>second</li></ul>"
        b"<table><tr><th>Days</th><th>Who</th></tr><tr><td>5</td><td>all</td></tr></table>"
        b"<pre>x = 1\ny = 2</pre></main><script>bad()</script></body></html>",
        "leave.html",
    )
    assert (page.title, page.owner) == ("Leave", "Ingrid Moen")
    assert page.text.split("\n\n") == [
        "# Leave",
        "One two three",
        "- first\n  - inner\n- second",
        "| Days | Who |\n| --- | --- |\n| 5 | all |",
        "```\nx = 1\ny = 2\n```",
    ]


def test_a_table_that_arranges_a_page_is_read_as_text() -> None:
    essay = "<br><br>".join(f"Paragraph {n} of a long essay. " * 8 for n in range(5))
    page = read_page(f"<table><tr><td>{essay}</td></tr></table>".encode(), "essay.html")
    assert page.text.count("\n\n") == 4
    assert "|" not in page.text


def test_a_pdf_is_read_page_by_page() -> None:
    page = read_page(_pdf("Book flights early", "", "Hand in receipts"), "travel-rules.pdf")
    assert page.title == "Travel rules"
    assert page.text == "## Page 1\n\nBook flights early\n\n## Page 3\n\nHand in receipts"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", b"Hello, I am a text.", "not a PDF"),
        ("a.pdf", b"", "not a PDF"),
        ("a.pdf", _pdf("Some text")[:120], "damaged"),
        ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 20, "damaged"),
        ("a.pdf", _pdf("secret", password="pass"), "protected by a password"),
        ("a.pdf", _pdf(""), "OCR"),
        ("a.md", b"\x00\x01\x02 binary", "not text"),
        ("a.txt", bytes(range(1, 32)) * 40, "not text"),
        ("a.html", b"\x00\x00<p>x</p>", "not text"),
        ("a.txt", "words".encode("utf-16-le"), "not text"),
        ("a.txt", "words".encode("utf-32"), "not text"),
        ("a.html", b"<div>" * 5000 + b"deep", "nested too deeply"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_why(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(FileUnreadable, match=reason):
        read_page(data, name)


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_pdf_that_only_forbids_changes_is_read(algorithm: str) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(io.BytesIO(_pdf("Travel by train"))))
    writer.encrypt("", owner_password="owner", algorithm=algorithm)
    written = io.BytesIO()
    writer.write(written)
    assert read_page(written.getvalue(), "a.pdf").text == "Travel by train"


def test_what_a_pdf_says_of_its_number_of_pages_is_not_believed() -> None:
    lying = _pdf("Hello").replace(b"/Count 1", b"/Count 9")
    assert read_page(lying, "a.pdf").text == "Hello"
    with pytest.raises(FileUnreadable, match="without pages"):
        read_page(_pdf(), "a.pdf")
    around = _pdf("a").replace(b"/Kids[3 0 R]", b"/Kids[2 0 R]")
    with pytest.raises(FileUnreadable, match="damaged"):
        read_page(around, "a.pdf")


def test_more_text_than_a_page_has_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.readers.MOST_CHARACTERS", 20)
    with pytest.raises(FileUnreadable, match="data, not a page"):
        read_page(b"twenty-one characters", "a.txt")


def test_a_pdf_with_too_many_pages_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.pdf_text.MOST_PAGES", 2)
    with pytest.raises(FileUnreadable, match="more than 2 pages"):
        read_page(_pdf("a", "b", "c"), "a.pdf")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b""),
        ("a.md", b" \n\t\n"),
        ("a.md", b"---\ntitle: Only this\n---\n"),
        ("a.html", b"<html><body><script>x</script></body></html>"),
        ("a.txt", "﻿".encode()),
    ],
)
def test_a_page_with_nothing_written_on_it_is_empty(name: str, data: bytes) -> None:
    with pytest.raises(FileEmpty, match="no text"):
        read_page(data, name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_norwegian_letters_survive_any_usual_encoding(encoding: str) -> None:
    text = "Overføring av feriedager må avtales før påske. Én uke på forhånd, sier Åse Bjørnæs."
    assert read_page(text.encode(encoding), "ferie.txt").text == text


def test_a_page_of_a_hundred_kilobytes_on_one_line_is_read() -> None:
    assert len(read_page(b"word " * 20_000, "a.md").text) == 99_999
