"""Promote, roll back, promote, while sixteen people ask: what they notice, and how long it takes.

    python -m tests.benchmarks.promoting --home DIR

DIR is a home of the sample company with a tuned version in it; a copy is worked on. Every answer
names one version. Two times are told of each move: how long after it the last question was asked
that the other version still answered, and how long it took until somebody had a whole answer of
the right one, in which an answer among sixteen takes its own seconds. The pause is the longest time
without a finished answer to anybody.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from bot.app import Skredder
from bot.demo import company_files
from bot.home import Home
from bot.settings import load
from storage import versions
from storage.versions import BASE

ASKERS = 16
#: How long people ask before, between and after the moves, in seconds.
CALM = 15.0


@dataclass(frozen=True)
class Answered:
    """An answer: when it was asked for and given, and by which version."""

    asked: float
    given: float
    version: str | None
    error: str | None = None


def main() -> None:
    """Measure on a copy of the home that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--json", type=Path, default=Path("bench-results/promoting.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "home"
        shutil.copytree(options.home, copy, ignore=shutil.ignore_patterns("models", ".owner"))
        cache = Path(platformdirs.user_cache_dir("skredder-tests"))
        home = Home(copy, cache)
        with Skredder(home, load(home.settings)) as skredder:
            found = measure(skredder)
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def measure(skredder: Skredder) -> dict[str, Any]:
    """Ask and move; return what was seen."""
    questions = [json.loads(line)["question"] for line in _lines()]
    answered: list[Answered] = []
    is_over = threading.Event()

    def ask(number: int) -> None:
        for turn in range(100_000):
            if is_over.is_set():
                return
            question = questions[(number + turn * 5) % len(questions)]
            began = time.monotonic()
            try:
                said = skredder.answering.answer(question, {"everyone"}, asker=f"U{number}")
                answered.append(Answered(began, time.monotonic(), said.model_version))
            except Exception as error:
                answered.append(Answered(began, time.monotonic(), None, repr(error)))

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(ASKERS)]
    with skredder.database.read() as session:
        known = versions.listed(session)
    tuned = next(each.name for each in known if each.may_answer and each.name != BASE)
    if skredder.retrainings.serving_name() != BASE:
        skredder.retrainings.roll_back("benchmark", "measured anew")
        skredder.models.follow()
    for thread in askers:
        thread.start()
    time.sleep(2 * CALM)
    moves: list[tuple[str, str, float]] = []
    for move in ("promote", "roll back", "promote"):
        began = time.monotonic()
        if move == "promote":
            skredder.retrainings.promote("benchmark", tuned, "to see how it goes")
        else:
            skredder.retrainings.roll_back("benchmark", "to see how it goes")
        moves.append((move, skredder.retrainings.serving_name(), began))
        time.sleep(CALM)
    is_over.set()
    for thread in askers:
        thread.join()
    return {
        "answers": len(answered),
        "failed": [each.error for each in answered if each.error],
        "by_version": Counter(str(each.version) for each in answered),
        "moves": [_move(*move, answered) for move in moves],
        "longest_pause": _longest_pause([each.given for each in answered]),
    }


def _move(name: str, wanted: str, began: float, answered: list[Answered]) -> dict[str, Any]:
    """Say how long a move took until what was asked afterwards was answered by the right one."""
    after = sorted((a for a in answered if a.given > began and a.version), key=lambda a: a.given)
    first = next((a for a in after if a.version == wanted), None)
    assert first is not None, f"after {name} nobody was answered by {wanted}"
    others = [
        a for a in after if began < a.asked and a.given < began + CALM and a.version != wanted
    ]
    late = [a for a in others if a.asked > first.given]
    return {
        "move": name,
        "to": wanted,
        "last_asked_of_the_other_after": round(
            max((a.asked for a in others), default=began) - began, 2
        ),
        "seconds_to_first_answer": round(first.given - began, 2),
        "by_another_version_afterwards": len(late),
    }


def _longest_pause(given: list[float]) -> float:
    ordered = sorted(given)
    return round(max(b - a for a, b in itertools.pairwise(ordered)), 2)


def _lines() -> list[str]:
    text = (company_files.FOLDER / "questions.jsonl").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    main()
