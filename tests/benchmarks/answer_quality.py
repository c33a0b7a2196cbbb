"""Right, abstained, wrong, unsupported: the sample company's questions and a real handbook's.

    python -m tests.benchmarks.answer_quality --data ../shared/data

measures the base model. To measure a tuned version beside it, name the home of a sample company
in which one has passed the gate (made by `SKREDDER_HOME=DIR skredder demo`, or by
`skredder train run` there):

    python -m tests.benchmarks.answer_quality --data ../shared/data --home DIR

`company` asks its held-out pairs, then its questions that no pair covers. `handbook` asks 60
questions with facts that a right answer holds and 38 that the handbook does not answer, in a home
of its own (`DIR-handbook`, or `--handbook-home`), where the company's tuned version is entered
too: the pages are new to it, the way of answering is not. `--limit 5` tries it out,
`--retrieval-only` leaves out the model alone. Tables and every answer go to bench-results/.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from bot.app import Skredder
from bot.commands.evaluating import show
from bot.commands.progress import bar
from bot.demo import company_files
from bot.evaluation_parts import build_evaluating
from bot.home import Home
from bot.settings import load
from storage import runs, versions
from storage.database import Database
from storage.versions import Version
from training.evaluation.ways import WaysReport

QUESTIONS = Path(__file__).parent / "questions"

#: How many of the handbook's questions with facts are asked; drawn once, always the same.
ANSWERABLE = 60

RESULTS = Path("bench-results")


def main() -> None:
    """Measure what the command line names."""
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary) / "company"
        if options.only != "handbook":
            with _opened(home, company_files.HANDBOOK, pairs=company_files.PAIRS) as skredder:
                questions = company_files.FOLDER / "questions.jsonl"
                _measure(skredder, "company_pairs", None, options)
                _measure(skredder, "company_questions", questions, options)
        if options.only != "company":
            place = options.handbook_home or home.with_name(f"{home.name}-handbook")
            asked = Path(temporary) / "handbook_questions.json"
            asked.write_text(json.dumps(_handbook_questions()), encoding="utf-8")
            with _opened(place, options.data / "handbook", tuned_in=home) as skredder:
                _measure(skredder, "handbook", asked, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = ["company", "handbook"]
    parser.add_argument("--only", choices=known, help="one of the two; both by default")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--home", type=Path, help="the sample company's home")
    parser.add_argument("--handbook-home", type=Path)
    parser.add_argument("--limit", type=int, help="ask at most so many questions of each file")
    parser.add_argument("--retrieval-only", action="store_true")
    return parser.parse_args()


def _handbook_questions() -> list[dict[str, Any]]:
    with_facts = [row for row in _read("handbook.json") if row.get("facts")]
    drawn = random.Random(7).sample(with_facts, ANSWERABLE)
    return [*drawn, *_read("handbook_unanswerable.json")]


def _read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((QUESTIONS / name).read_text(encoding="utf-8"))
    return rows


@contextmanager
def _opened(
    root: Path, pages: Path, *, pairs: Path | None = None, tuned_in: Path | None = None
) -> Iterator[Skredder]:
    """Open a home that has read the pages; what is there already is left alone."""
    models = root / "models"
    cache = Path(platformdirs.user_cache_dir("skredder-tests"))
    home = Home(root.resolve(), None if models.is_dir() else cache)
    home.make()
    if not home.settings.is_file():
        home.settings.write_text(company_files.demo_settings([], []), encoding="utf-8")
    tuned = None if tuned_in is None else _tuned(Home(tuned_in.resolve()).database)
    with bar("Preparing") as advance, Skredder(home, load(home.settings), advance) as skredder:
        perform = skredder.operations.perform
        perform("ingest", {"path": str(pages.resolve()), "audience": "everyone"}, advance)
        if pairs is not None:
            perform("pairs.import", {"path": str(pairs), "approve": True}, advance)
        if tuned is not None:
            _enter(skredder.database, tuned)
        yield skredder


def _tuned(file: Path) -> Version | None:
    """Return the newest tuned version in a home that passed its gate."""
    if not file.is_file():
        return None
    database = Database(f"sqlite:///{file}")
    try:
        with database.read() as session:
            known = versions.listed(session)
    finally:
        database.close()
    return next((each for each in known if each.may_answer and not each.is_base), None)


def _enter(database: Database, tuned: Version) -> None:
    """Make a version of another home known here; its files stay where they are."""
    with database.write() as session:
        if any(each.name == tuned.name for each in versions.listed(session)):
            return
        run = runs.propose(session, f"measured beside {tuned.name}", "benchmark")
        runs.cancel(session, run.id, "benchmark")
        made = versions.register(
            session,
            tuned.name,
            run_id=run.id,
            folder=str(tuned.folder),
            manifest_sha256=str(tuned.manifest_sha256),
        )
        versions.judge(session, made.id, "passed")


def _measure(
    skredder: Skredder, name: str, questions: Path | None, options: argparse.Namespace
) -> None:
    with skredder.database.read() as session:
        known = versions.listed(session)
    tuned = next((each.name for each in known if each.may_answer and not each.is_base), None)
    with bar(name) as advance:
        found = build_evaluating(skredder).ways(
            "base" if options.retrieval_only else None,
            tuned if options.retrieval_only else None,
            ablation=not options.retrieval_only,
            questions=questions,
            limit=options.limit,
            on_progress=advance,
        )
    show(found)
    RESULTS.mkdir(exist_ok=True)
    report = WaysReport.from_json(found["report"])
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=1)
    (RESULTS / f"answer_quality_{name}.json").write_text(text + "\n", encoding="utf-8")
    (RESULTS / f"answer_quality_{name}.md").write_text(report.markdown() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
