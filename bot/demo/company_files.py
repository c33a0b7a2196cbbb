"""The files of the sample company."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "company"
HANDBOOK = FOLDER / "handbook"
PAIRS = FOLDER / "pairs.jsonl"


@dataclass(frozen=True)
class Script:
    """What the tour plays: three questions, and the expert's correction of the second."""

    ask: str
    wrong: str
    better: str
    must_contain: str
    reason: str
    unseen: str
    unseen_expected: tuple[str, ...]
    #: Further questions that no pair covers, each with what a right answer holds.
    more_unseen: tuple[tuple[str, tuple[str, ...]], ...]


def read_script() -> Script:
    """Return what the tour plays."""
    content: dict[str, Any] = json.loads((FOLDER / "tour.json").read_text(encoding="utf-8"))
    lines = (FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    return Script(
        ask=content["ask"]["question"],
        wrong=content["correct"]["question"],
        better=content["correct"]["answer"],
        must_contain=content["correct"]["must_contain"],
        reason=content["correct"]["reason"],
        unseen=content["unseen"]["question"],
        unseen_expected=tuple(content["unseen"]["expected"]),
        more_unseen=tuple(
            (question["question"], tuple(question["expected"]))
            for question in questions
            if question["expected"]
        ),
    )


def count_pairs() -> int:
    """Return how many pairs the company begins with."""
    with PAIRS.open(encoding="utf-8") as file:
        return sum(1 for line in file if line.strip())


def demo_settings(admins: list[str], experts: list[str]) -> str:
    """Return the settings file of the demo: the company's own, and who is who in the workspace.

    One pair more than the company begins with makes the first training due, so that the first
    correction starts it.
    """
    company = (FOLDER / "skredder.toml").read_text(encoding="utf-8")
    return (
        f"{company.rstrip()}\n\n"
        "[people]\n"
        "# Slack user ids; here, of the people in the local workspace.\n"
        f"admins = {json.dumps(admins)}\n"
        f"experts = {json.dumps(experts)}\n\n"
        "[knowledge]\n"
        "# Two passages are enough for a small handbook, and make the short training shorter.\n"
        "passages = 2\n\n"
        "[training]\n"
        "# Small, so that the whole loop can be seen; a company would start with thousands.\n"
        f"enough_pairs = {count_pairs() + 1}\n"
        "retrain_every = 10\n"
    )
