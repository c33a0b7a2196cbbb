"""Reading a file of questions to evaluate with: JSON (a list) or JSONL, one object a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.evaluation.facts import Fact
from training.evaluation.verdict import EvaluationQuestion


class QuestionFileInvalid(Exception):
    """The file cannot be used; the message says where and why."""


def read_questions(path: Path) -> tuple[EvaluationQuestion, ...]:
    """Read questions with what a right answer to each is known by.

    Fields: `question` (or `input`); `reference` (or `output`), an expert's answer; `facts`, a list
    of what a right answer holds, each a wording or a list of wordings; `expected`, wordings of
    which it holds one; `pages`, addresses of the documents that answer it, or `context`, one such
    address; `audience`. A question with `"pages": []`, or with nothing to tell a right answer by,
    has no answer in the documents: only "I don't know" is right.

    Raises:
        QuestionFileInvalid: the file is missing, is no JSON, or an entry lacks its question.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise QuestionFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise QuestionFileInvalid(f"{path} is no text in UTF-8.") from error
    try:
        if content.lstrip().startswith("["):
            rows = json.loads(content)
        else:
            rows = [json.loads(line) for line in content.splitlines() if line.strip()]
    except ValueError as error:
        raise QuestionFileInvalid(
            f"{path.name} is neither a JSON list nor JSONL: {error}."
        ) from error
    return tuple(_question(path.name, number, row) for number, row in enumerate(rows, start=1))


def _question(file: str, number: int, row: Any) -> EvaluationQuestion:
    where = f"{file}, question {number}"
    if not isinstance(row, dict):
        raise QuestionFileInvalid(f"{where} is no object with a field `question`.")
    text = row.get("question") or row.get("input")
    if not isinstance(text, str) or not text.strip():
        raise QuestionFileInvalid(f"{where} lacks the field `question`.")
    reference = row.get("reference") or row.get("output")
    facts = _facts(where, row)
    return EvaluationQuestion(
        text=text.strip(),
        reference=str(reference) if reference else None,
        facts=facts,
        pages=_pages(where, row, is_known=bool(reference or facts)),
        audience=str(row.get("audience") or "everyone"),
    )


def _facts(where: str, row: Mapping[str, Any]) -> tuple[Fact, ...]:
    facts = row.get("facts") or []
    if not isinstance(facts, list):
        raise QuestionFileInvalid(f"{where}: `facts` is a list of wordings or lists of wordings.")
    expected = row.get("expected")
    found = [*facts, expected] if expected else facts
    read = [tuple(map(str, fact)) if isinstance(fact, list) else (str(fact),) for fact in found]
    if not all(read):
        raise QuestionFileInvalid(f"{where}: a fact without a wording can never be held.")
    return tuple(read)


def _pages(where: str, row: Mapping[str, Any], is_known: bool) -> tuple[str, ...] | None:
    pages = row.get("pages")
    if isinstance(pages, list):
        return tuple(map(str, pages))
    if pages is not None:
        raise QuestionFileInvalid(f"{where}: `pages` is a list of addresses.")
    context = row.get("context")
    if isinstance(context, str) and context:
        return (context.partition("#")[0],)
    return None if is_known else ()
