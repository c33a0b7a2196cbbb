"""What a trained version is worth, by seed and by what is left out of the training.

    python -m tests.benchmarks.training_worth --home DIR [--only NAME ...] [--epochs 1.25]

Trains a version of each variant in a home of its own with the sample company, and measures it on
the held-out pairs and the general probes beside the base model: the model's own answers (the
report that the gate judges), and the whole path, with every sentence checked, as people get it.
No version is let to answer, so each is compared with the base. A run is not repeated: what was
begun goes on, what is done is read. The table and every report go to bench-results/.

The last variants are bad on purpose; the gate should refuse each for its reason. "Hot" turned out
to learn well all the same, and to pass, so there is one that does not.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import platformdirs
from sqlalchemy import update

from bot.app import Skredder
from bot.commands.progress import bar
from bot.demo import company_files
from bot.evaluation_parts import build_evaluating
from bot.home import Home
from bot.settings import load
from storage import pairs, runs
from storage.runs import Run
from storage.tables.pairs import PairRow
from storage.versions import BASE
from training.evaluation.report import Report, VersionScores
from training.evaluation.ways import WaysReport

RESULTS = Path("bench-results")


@dataclass(frozen=True)
class Variant:
    """A way to train. `wrong_labels` gives every training pair the answer of another page."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    wrong_labels: bool = False


VARIANTS = (
    Variant("seed 7"),
    Variant("seed 8", {"seed": 8}),
    Variant("seed 9", {"seed": 9}),
    Variant("without replay", {"replay_share": 0.0}),
    Variant("lessons in not knowing", {"unanswerable_share": 0.15}),
    Variant("never without passages", {"bare_share": 0.0}),
    Variant("scale chosen", {"validation_share": 0.1, "chooses_scale": True}),
    Variant("wrong labels", wrong_labels=True),
    Variant("hot", {"learning_rate": 5e-4, "warmup_steps": 0, "clip": 0.0}),
    Variant("ten times as hot", {"learning_rate": 5e-3, "warmup_steps": 0, "clip": 0.0}),
)
SEEDS = ("seed 7", "seed 8", "seed 9")


def main() -> None:
    """Train and measure what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True, help="holds the homes; kept, to go on")
    parser.add_argument("--only", nargs="*", choices=[each.name for each in VARIANTS])
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--threads", type=int, default=0, help="of a training; 0: all cores")
    parser.add_argument("--json", type=Path, default=RESULTS / "training_worth.json")
    options = parser.parse_args()
    found = {}
    for variant in VARIANTS:
        if options.only and variant.name not in options.only:
            continue
        found[variant.name] = measure(options.home, variant, options.epochs, options.threads)
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
        print(table(found), flush=True)


def measure(
    root: Path, variant: Variant, epochs: float | None = None, threads: int = 0
) -> dict[str, Any]:
    """Train a variant if that was not done yet, and measure it.

    Returns:
        `gate`, the `report` that the gate judged, `base` and `tuned`: the whole path's measures.
    """
    where = root / variant.name.replace(" ", "-")
    cache = Path(platformdirs.user_cache_dir("skredder-tests"))
    home = Home(where.resolve(), cache)
    home.make()
    _copy_answers(root / "answers", home.runs / "answers")
    if not home.settings.is_file():
        home.settings.write_text(company_files.demo_settings([], []), encoding="utf-8")
    with bar(variant.name) as advance, Skredder(home, load(home.settings), advance) as skredder:
        perform = skredder.operations.perform
        perform("ingest", {"path": str(company_files.HANDBOOK), "audience": "everyone"}, advance)
        read = {"approve": True, "looked_at": "Each was looked at when it was written."}
        perform("pairs.import", {"path": str(company_files.PAIRS), **read}, advance)
        if variant.wrong_labels and not (mixed := where / "mixed-up").exists():
            _mix_up(skredder)
            mixed.touch()
        training = skredder.retrainings._training
        changes = {"threads": threads, **({} if epochs is None else {"epochs": epochs})}
        recipe = replace(training.make.recipe, **changes, **variant.changes)
        training.make = replace(training.make, recipe=recipe)
        run = _trained(skredder, variant.name, advance)
        _copy_answers(home.runs / "answers", root / "answers")
        if run.report is None:
            return {"state": run.state, "message": run.message}
        evaluating = build_evaluating(skredder)

        def asked(version: str) -> Any:
            return evaluating.ways(
                version, None, ablation=False, questions=None, limit=None, on_progress=advance
            )["report"]

        kept = root / "base.json"
        if not kept.is_file():
            kept.write_text(json.dumps(asked(BASE), ensure_ascii=False), encoding="utf-8")
        return {
            "state": run.state,
            "gate": run.report["gate"],
            "report": run.report["report"],
            "recipe": asdict(training.make.recipe),
            "version": str(home.runs / "versions" / f"v{run.id}"),
            "base": json.loads(kept.read_text(encoding="utf-8")),
            "tuned": asked(f"v{run.id}"),
        }


def _trained(skredder: Skredder, name: str, advance: Any) -> Run:
    """Return the ended run of a variant; it is never promoted."""
    with skredder.database.write() as session:
        known = runs.listed(session, limit=1)
        run = known[0] if known else runs.propose(session, f"variant:{name}", "benchmark")
    if not run.is_open:
        return run
    with skredder.database.write() as session:
        run = runs.claim(session, run.id, "benchmark", timedelta(minutes=5))

    def show(now: Run) -> None:
        advance({"name": f"{name}: {now.state}", "done": now.step or 0, "total": now.steps})

    return skredder.retrainings._training.run(run, on_progress=show)


def _copy_answers(source: Path, target: Path) -> None:
    """Copy what the base model said, so that every home need not ask it again."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob(f"{BASE}-*.jsonl"):
        shutil.copyfile(file, target / file.name)


def _mix_up(skredder: Skredder) -> None:
    """Give every training pair the answer of another, straight in SQL: nobody looks at it."""
    with skredder.database.write() as session:
        learned = [pair for pair in pairs.for_snapshot(session) if not pair.is_held_out]
        answers = [pair.output for pair in learned]
        random.Random(7).shuffle(answers)
        for pair, answer in zip(learned, answers, strict=True):
            session.execute(update(PairRow).where(PairRow.id == pair.id).values(output=answer))


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what was measured as Markdown: a row for each variant, then the seeds' mean."""
    head = (
        "variant",
        *("F1", "numbers", "source", "voice", "unsupported"),
        *("does not know", "where nobody can", "probes", "leaks"),
        *("right", "wrong", "voice shown", "source shown", "unsupported shown"),
        "gate",
    )
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 2) + " --- |"]
    rows: dict[str, list[float | None]] = {}
    for name, each in found.items():
        if "report" not in each:
            lines.append(f"| {name} | {each['state']}: {each['message']} |")
            continue
        report = Report.from_json(each["report"])
        if "base" not in rows:
            rows["base"] = _figures(report.base, each["base"])
            lines.append(_line("base", rows["base"], ""))
        rows[name] = _figures(report.challenger, each["tuned"])
        verdict = "passed" if each["gate"]["passed"] else "; ".join(each["gate"]["reasons"])
        lines.append(_line(name, rows[name], verdict))
    seeds = [rows[name] for name in SEEDS if name in rows]
    if len(seeds) > 1:
        columns = [[v for v in column if v is not None] for column in zip(*seeds, strict=True)]
        cells = [
            f"{statistics.mean(c):.1%} ± {statistics.stdev(c) * 100:.1f}" if len(c) > 1 else "–"
            for c in columns
        ]
        lines.append(f"| mean of {len(seeds)} seeds ± spread | {' | '.join(cells)} | |")
    return "\n".join(lines)


def _figures(own: VersionScores, whole: Mapping[str, Any]) -> list[float | None]:
    path = WaysReport.from_json(whole).scores[0].measures
    names = ("answer_f1", "right_numbers", "right_source", "voice", "unsupported")
    more = ("abstained", "unknowing", "probes", "leaks")
    shown = ("right", "wrong", "voice", "right_source", "unsupported")
    measures = [*(own.measures[name] for name in (*names, *more)), *(path[n] for n in shown)]
    return [found.mean if found.count else None for found in measures]


def _line(name: str, figures: Sequence[float | None], verdict: str) -> str:
    cells = ("–" if each is None else f"{each:.1%}" for each in figures)
    return f"| {name} | {' | '.join(cells)} | {verdict} |"


if __name__ == "__main__":
    main()
