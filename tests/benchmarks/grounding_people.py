"""Statements that people judged: SciFact's claims, mtRAG's answers, paraphrases written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from knowledge.grounding.reading import Ground
from knowledge.grounding.statements import SourcePage

PARAPHRASES = Path(__file__).parent / "questions" / "paraphrases.json"


@dataclass(frozen=True)
class Judged:
    """An answer or a claim with its passages, and whether people found it supported."""

    sentences: tuple[str, ...]
    grounds: tuple[Ground, ...]
    is_true: bool
    question: str = ""
    language: str = "en"


def scifact_claims(data: Path) -> list[Judged]:
    """Return SciFact's claims with an abstract each: SUPPORT is true, CONTRADICT is not."""
    folder = data / "scifact"
    abstracts = {
        row["_id"]: Ground(row["title"], row["text"])
        for file in sorted(folder.glob("corpus-*.jsonl"))
        for row in _rows(file)
    }
    claims = {
        (row["claim"], row["evidence_doc_id"]): row["evidence_label"] == "SUPPORT"
        for row in _rows(folder / "claims_dev_evidence.jsonl")
        if row["evidence_label"]
    }
    return [
        Judged((claim,), (abstracts[document],), label)
        for (claim, document), label in claims.items()
    ]


@dataclass(frozen=True)
class RatedAnswers:
    """mtRAG's answers: rated by people, and those to questions without an answer."""

    rated: tuple[Judged, ...]
    unanswerable: tuple[Judged, ...]
    unanswerable_questions: tuple[str, ...]
    answerable_questions: tuple[str, ...]
    documents: tuple[Ground, ...]


def mtrag_answers(data: Path) -> RatedAnswers:
    """Return mtRAG's answers. True: median faithfulness 4 of 4; untrue: 2 or less; 3 is left out.

    Unanswerable questions come without passages; whoever checks must find some.
    """
    whole = json.loads(
        (data / "mtrag" / "reference_subset_with_human_evaluations.json").read_text("utf-8")
    )
    documents = {
        row["document_id"]: Ground(str(row.get("title") or ""), row["text"])
        for row in whole["documents"]
    }
    tasks = {task["task_id"]: task for task in whole["tasks"]}
    rated, unanswerable = [], []
    for row in whole["evaluations"]:
        task = tasks[row["task_id"]]
        votes = row["annotations"].get("faithfulness") or {}
        score = median(int(vote["value"]) for vote in votes.values()) if votes else 3
        grounds = tuple(documents[each["document_id"]] for each in task["contexts"])
        question = task["input"][-1]["text"]
        judged = Judged(_sentences(row["model_response"]), grounds, score >= 4, question)
        if task["Answerability"] == ["UNANSWERABLE"]:
            unanswerable.append(judged)
        elif grounds and (score >= 4 or score <= 2):
            rated.append(judged)

    def asked(kind: str) -> tuple[str, ...]:
        return tuple(_question(task) for task in tasks.values() if task["Answerability"] == [kind])

    return RatedAnswers(
        tuple(rated), tuple(unanswerable), asked("UNANSWERABLE"), asked("ANSWERABLE"),
        tuple(documents.values()),
    )  # fmt: skip


def paraphrases(pages: Sequence[SourcePage]) -> Iterator[Judged]:
    """Yield each hand-written paraphrase and its false twin beside the passages of its page.

    The three passages of the page that share most words with the true one, for both.
    """
    by_name = {page.name: page for page in pages}
    for page in pages:
        by_name.setdefault(f"norquad:{page.passages[0].heading}", page)
    for row in json.loads(PARAPHRASES.read_text(encoding="utf-8")):
        page = by_name[row["page"]]
        words = set(re.findall(r"\w{3,}", (row["true"] + " " + row["false"]).casefold()))
        grounds = sorted(
            page.passages,
            key=lambda ground: (
                -len(
                    words & set(re.findall(r"\w{3,}", f"{ground.heading} {ground.text}".casefold()))
                )
            ),
        )[:3]
        for key in ("true", "false"):
            yield Judged((row[key],), tuple(grounds), key == "true", "", row["language"])


def _question(task: dict[str, Any]) -> str:
    asked = [turn["text"] for turn in task["input"] if turn["speaker"] == "user"]
    return " ".join(asked[-2:]) if len(asked[-1].split()) < 6 else str(asked[-1])


def _sentences(answer: str) -> tuple[str, ...]:
    from knowledge.grounding.reading import sentences_of

    return tuple(s for s in sentences_of(answer) if len(s.split()) >= 3)


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
