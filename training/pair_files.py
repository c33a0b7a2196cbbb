"""Pairs in files: JSONL, CSV, chat and Alpaca, in and out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

COLUMNS = ("input", "output", "context", "author", "created_at", "audience", "language")

#: In which pairs are written: two to exchange them, two as tools for training read them.
FORMS = ("jsonl", "csv", "chat", "alpaca")

#: One pair is a question and an answer, not a document.
LONGEST_FIELD = 20_000


class PairFileInvalid(Exception):
    """The file as a whole cannot be read as pairs; nothing was taken from it."""


@dataclass(frozen=True)
class PairDraft:
    """A pair as a file holds it.

    `split` is only written: on which side a pair lies is drawn where it is imported.
    """

    input: str
    output: str
    context: str | None = None
    author: str | None = None
    created_at: datetime | None = None
    audience: str = "everyone"
    language: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class SkippedRow:
    """A row that is no pair, and why."""

    line: int
    reason: str


def read_pairs(path: Path) -> tuple[list[PairDraft], list[SkippedRow]]:
    """Read a file of pairs, whichever of the known forms it has.

    Args:
        path: A `.jsonl`, `.json` or `.csv` file. JSON rows are `input` and `output`, Alpaca's
            `instruction`, `input`, `output`, or chat `messages`.

    Returns:
        The pairs, and the rows that were left out with their line (JSON arrays: position).

    Raises:
        PairFileInvalid: missing file, unknown form, wrong encoding, or missing columns.
    """
    if not path.is_file():
        raise PairFileInvalid(f"There is no file {path}. Give the path of a JSONL or CSV file.")
    try:
        rows = list(_rows(path))
    except UnicodeDecodeError as error:
        raise PairFileInvalid(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8 and try again."
        ) from error
    drafts, skipped = [], []
    for line, row in rows:
        try:
            drafts.append(_draft(row))
        except ValueError as error:
            skipped.append(SkippedRow(line, str(error)))
    if not drafts and not skipped:
        raise PairFileInvalid(f"{path} holds no rows.")
    return drafts, skipped


def write_pairs(drafts: Iterable[PairDraft], target: TextIO, form: str) -> int:
    """Write pairs in one of the `FORMS`. Returns how many there were.

    Chat and Alpaca rows carry the other columns beside their own, so that they can be read back.
    """
    count = 0
    writer = csv.DictWriter(target, (*COLUMNS, "split")) if form == "csv" else None
    if writer:
        writer.writeheader()
    for count, draft in enumerate(drafts, start=1):  # noqa: B007 - the last number is the count
        row: dict[str, Any] = {name: getattr(draft, name) for name in (*COLUMNS, "split")}
        row["created_at"] = draft.created_at.isoformat() if draft.created_at else None
        if writer:
            writer.writerow(row)
        else:
            shaped = _shaped(row, form)
            kept = {name: value for name, value in shaped.items() if value is not None}
            target.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return count


def form_of(path: Path, named: str | None = None) -> str:
    """Return the form in which pairs are written to a file.

    Args:
        path: The file; its ending says CSV or JSONL.
        named: The form that was asked for; chat and Alpaca must be, and are JSONL files.

    Raises:
        PairFileInvalid: there is no such form, or the ending says something else.
    """
    ending = path.suffix.lower().lstrip(".")
    form = named or ending
    if form not in FORMS:
        raise PairFileInvalid(
            f"{path.name}: pairs are written to .jsonl and .csv files, or as "
            f"{', '.join(FORMS)} if you name one of these."
        )
    wanted = "csv" if form == "csv" else "jsonl"
    if ending != wanted:
        raise PairFileInvalid(f"{path.name}: pairs in the form {form} go to a .{wanted} file.")
    return form


def _shaped(row: dict[str, Any], form: str) -> dict[str, Any]:
    """Return a row in the shape that tools for training read."""
    if form == "chat":
        turns = [("user", row.pop("input")), ("assistant", row.pop("output"))]
        return {"messages": [{"role": role, "content": text} for role, text in turns]} | row
    if form == "alpaca":
        asked, answered = row.pop("input"), row.pop("output")
        return {"instruction": asked, "input": "", "output": answered} | row
    return row


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        yield from _csv_rows(path)
    elif suffix == ".jsonl":
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _parse(line)
    elif suffix == ".json":
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except json.JSONDecodeError as error:
            raise PairFileInvalid(f"{path} is not JSON: {error}.") from error
        if not isinstance(content, list):
            raise PairFileInvalid(f"{path} must hold a JSON array of pairs.")
        yield from ((n, row if isinstance(row, dict) else "") for n, row in enumerate(content, 1))
    else:
        raise PairFileInvalid(
            f"{path.name}: pairs are read from .jsonl, .json and .csv files, "
            f"not from {suffix or 'a file without an ending'}."
        )


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in ("input", "output") if name not in (reader.fieldnames or ())]
        if missing:
            found = ", ".join(reader.fieldnames or ()) or "none"
            raise PairFileInvalid(
                f"{path} lacks {' and '.join(missing)}; its columns are: {found}. "
                "Pairs need at least the columns input and output."
            )
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise PairFileInvalid(f"{path}, line {reader.line_num}: {error}.") from error


def _parse(line: str) -> Mapping[str, Any] | str:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at column {error.colno}"
    return row if isinstance(row, dict) else "not a JSON object"


def _draft(row: Mapping[str, Any] | str) -> PairDraft:
    """Make a draft of a row. Raises `ValueError` with the reason why it is no pair."""
    if isinstance(row, str):
        raise ValueError(row or "not a JSON object")
    asked, answered = _turns(row)
    for name, text in (("input", asked), ("output", answered)):
        if len(text) > LONGEST_FIELD:
            raise ValueError(f"{name} has {len(text):,} characters; {LONGEST_FIELD:,} is the most")
    return PairDraft(
        input=asked,
        output=answered,
        context=_text(row, "context"),
        author=_text(row, "author"),
        created_at=_moment(row),
        audience=_text(row, "audience") or "everyone",
        language=_text(row, "language"),
    )


def _turns(row: Mapping[str, Any]) -> tuple[str, str]:
    if "messages" in row:
        return _chat_turns(row["messages"])
    missing = [name for name in ("input", "output") if name not in row]
    if missing and "instruction" not in row:
        raise ValueError(f"lacks {' and '.join(missing)}")
    output = _text(row, "output")
    asked = "\n\n".join(part for name in ("instruction", "input") if (part := _text(row, name)))
    if not asked or not output:
        raise ValueError(f"{'output' if asked else 'input'} is empty")
    return asked, output


def _chat_turns(messages: Any) -> tuple[str, str]:
    turns = messages if isinstance(messages, list) else []
    spoken = [m for m in turns if isinstance(m, dict) and m.get("role") in ("user", "assistant")]
    if len(spoken) < 2 or spoken[-1]["role"] != "assistant" or spoken[-2]["role"] != "user":
        raise ValueError("messages must end with one of the user and one of the assistant")
    asked, answered = (str(turn.get("content") or "").strip() for turn in spoken[-2:])
    if not asked or not answered:
        raise ValueError("a message is empty")
    return asked, answered


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value.replace("\x00", "").strip() or None


def _moment(row: Mapping[str, Any]) -> datetime | None:
    text = _text(row, "created_at")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"created_at is not a date: {text[:40]}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
