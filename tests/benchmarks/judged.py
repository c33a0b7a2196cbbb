"""Public collections with questions and judgements, read into one form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Cranfield's grades run from 1 (a complete answer) to 4; 5 means of no interest, and -1 is an
#: odd mark for little relevance. The gains follow the collection's own order.
_CRANFIELD_GAINS = {1: 4, 2: 3, 3: 2, 4: 1, -1: 1, 5: 0}


@dataclass(frozen=True)
class Judged:
    """A collection. `relevant` holds the gain of each relevant document of each question."""

    name: str
    documents: dict[str, str]
    questions: dict[str, str]
    relevant: dict[str, dict[str, int]]

    def halves(self) -> tuple[list[str], list[str]]:
        """Return the questions that may be tuned on, and those that are reported."""
        asked = [question for question in self.questions if self.relevant.get(question)]
        position = {question: n for n, question in enumerate(self.questions)}
        tuned = [question for question in asked if position[question] % 2 == 0]
        return tuned, [question for question in asked if position[question] % 2 == 1]


def cranfield(data: Path) -> Judged:
    """Read Cranfield: 1,400 abstracts, 225 questions; a question's number is its position."""
    folder = data / "cranfield"
    documents = {}
    for part in _parts(folder / "cran.all.1400"):
        found = re.match(r"(\d+)\s*\n\.T\n(.*?)\.A\n.*?\.W\n(.*)", part, re.S)
        assert found is not None
        title, text = (" ".join(found[n].split()) for n in (2, 3))
        text = text.removeprefix(title).strip()
        documents[found[1]] = f"# {title}\n\n{text}"
    questions = {
        str(n): " ".join(part.split(".W")[1].split())
        for n, part in enumerate(_parts(folder / "cran.qry"), start=1)
    }
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "cranqrel").read_text().splitlines():
        question, document, grade = line.split()[:3]
        if gain := _CRANFIELD_GAINS[int(grade)]:
            relevant.setdefault(question, {})[document] = gain
    return Judged("Cranfield", documents, questions, relevant)


def scifact(data: Path) -> Judged:
    """Read SciFact in BEIR's form: 5,183 abstracts, 300 test claims."""
    folder = data / "scifact"
    documents = {
        row["_id"]: f"# {row['title']}\n\n{row['text']}"
        for file in sorted(folder.glob("corpus-*.jsonl"))
        for row in _rows(file)
    }
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        question, document, gain = line.split()
        relevant.setdefault(question, {})[document] = int(gain)
    questions = {
        row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl") if row["_id"] in relevant
    }
    return Judged("SciFact", documents, questions, relevant)


def norquad(data: Path) -> Judged:
    """Read NorQuAD: each paragraph is a document, and holds the answers to its questions."""
    articles = json.loads((data / "norquad" / "validation.json").read_text(encoding="utf-8"))
    documents: dict[str, str] = {}
    questions: dict[str, str] = {}
    relevant: dict[str, dict[str, int]] = {}
    names: dict[str, str] = {}  # the same paragraph comes once for each of its questions
    for article in articles["data"]:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            name = names.setdefault(text, f"p{len(names)}")
            title = str(article.get("title") or "").strip()
            documents[name] = f"# {title}\n\n{text}" if title else text
            for asked in paragraph["qas"]:
                questions[str(asked["id"])] = asked["question"]
                relevant[str(asked["id"])] = {name: 1}
    return Judged("NorQuAD", documents, questions, relevant)


def own_questions(file: Path, pages: Path, name: str) -> Judged:
    """Read questions of our own with the pages that answer them."""
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    documents = {path.relative_to(pages).as_posix(): "" for path in sorted(pages.rglob("*.md*"))}
    return Judged(
        name,
        documents,
        {str(n): row["question"] for n, row in enumerate(rows)},
        {str(n): dict.fromkeys(row["pages"], 1) for n, row in enumerate(rows)},
    )


def _parts(file: Path) -> list[str]:
    return re.split(r"^\.I ", file.read_text(errors="replace"), flags=re.M)[1:]


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
