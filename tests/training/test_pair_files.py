from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from training.pair_files import (
    FORMS,
    PairDraft,
    PairFileInvalid,
    form_of,
    read_pairs,
    write_pairs,
)


def _file(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_back(tmp_path: Path, form: str) -> None:
    drafts = [
        PairDraft("Hvor mange dager?", 'Hei! "25", sier vi.\nGod tur!', "a.md#Ferie", "Ingrid"),
        PairDraft("How many?", "25.", audience="C1", language="en"),
    ]
    target = io.StringIO()
    assert write_pairs(drafts, target, form) == 2
    read, skipped = read_pairs(
        _file(tmp_path, "p.csv" if form == "csv" else "p.jsonl", target.getvalue())
    )
    assert read == drafts
    assert skipped == []


def test_chat_and_alpaca_files_are_as_tools_for_training_read_them() -> None:
    draft = PairDraft("How many?", "25.", split="train")
    rows = []
    for form in ("chat", "alpaca"):
        target = io.StringIO()
        write_pairs([draft], target, form)
        rows.append(json.loads(target.getvalue()))
    assert rows[0]["messages"] == [
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": "25."},
    ]
    assert (rows[1]["instruction"], rows[1]["input"], rows[1]["output"]) == ("How many?", "", "25.")
    assert rows[0]["split"] == rows[1]["split"] == "train"


def test_the_side_of_the_split_is_written_and_never_read(tmp_path: Path) -> None:
    target = io.StringIO()
    write_pairs([PairDraft("Q?", "A.", split="train")], target, "jsonl")
    (read,), _ = read_pairs(_file(tmp_path, "p.jsonl", target.getvalue()))
    assert read.split is None


def test_the_form_and_the_ending_of_a_file_fit() -> None:
    assert form_of(Path("a.csv")) == "csv"
    assert form_of(Path("a.jsonl"), "alpaca") == "alpaca"
    for name, form in (("a.txt", None), ("a.jsonl", "csv"), ("a.csv", "chat"), ("a.json", None)):
        with pytest.raises(PairFileInvalid, match="pairs"):
            form_of(Path(name), form)


def test_chat_and_alpaca_rows_are_understood(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "Q1"}, {"role": "assistant", "content": "A1"}]},
        {"instruction": "Translate", "input": "hei", "output": "hello"},
    ]
    read, _ = read_pairs(_file(tmp_path, "p.json", json.dumps(rows)))
    assert [(d.input, d.output) for d in read] == [("Q1", "A1"), ("Translate\n\nhei", "hello")]


def test_a_csv_file_without_the_columns_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(PairFileInvalid, match=r"lacks input and output.*question, answer"):
        read_pairs(_file(tmp_path, "p.csv", "question,answer\nx,y\n"))


def test_bad_rows_are_skipped_with_line_and_reason_and_the_rest_is_kept(tmp_path: Path) -> None:
    text = "\n".join(
        [
            '{"input": "Q", "output": "A"}',
            "not json",
            '{"input": "Q"}',
            '{"input": " ", "output": "A"}',
            '{"input": "Q", "output": 3}',
            '{"input": "Q", "output": "A", "created_at": "soon"}',
            "[1]",
        ]
    )
    read, skipped = read_pairs(_file(tmp_path, "p.jsonl", text))
    assert len(read) == 1
    assert [row.line for row in skipped] == [2, 3, 4, 5, 6, 7]
    assert "lacks output" in skipped[1].reason


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.txt", b"x", "read from"),
        ("p.json", b"{}", "JSON array"),
        ("p.jsonl", b"", "no rows"),
        ("p.jsonl", b"\xff\xfe{", "UTF-8"),
    ],
)
def test_a_file_that_holds_no_pairs_says_why(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PairFileInvalid, match=said):
        read_pairs(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(PairFileInvalid, match="There is no file"):
        read_pairs(tmp_path / "none.jsonl")
