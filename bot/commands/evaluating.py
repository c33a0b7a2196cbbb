"""`skredder evaluate`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import errors, fail, find_installation, print_json, results
from bot.commands.progress import bar

#: The interval of a number, as tables have it.
_INTERVAL = re.compile(r" \(([\d.]+) to ([\d.]+)\)")


def evaluate(
    *,
    version: Annotated[
        str | None, typer.Option(help="The version to measure; the one that answers by default.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="The version to compare it with; the base by default.")
    ] = None,
    ablation: Annotated[
        bool,
        typer.Option(
            "--ablation",
            help="Base or tuned, with retrieval or without, and the base with examples.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for the table, the numbers, a plot and a model card."),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(help="JSON or JSONL with questions; the held-out pairs by default."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask at most so many questions.")] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Measure a version on questions it has never seen. Nobody's champion is changed by it."""
    if ablation and against is not None:
        fail("--against names a second version to measure; --ablation chooses what to ask.", code=2)
    arguments = {
        "version": version,
        "against": against,
        "ablation": ablation,
        "questions": None if questions is None else str(questions.expanduser().resolve()),
        "limit": limit,
    }
    with bar("Preparing") as advance:
        found = find_installation(settings).perform("evaluate", arguments, advance)
    if out is not None:
        _write(found, out)
    if as_json:
        print_json(found)
        return
    show(found)


def _write(found: dict[str, Any], folder: Path) -> None:
    from bot.evaluating import PLOT

    folder.mkdir(parents=True, exist_ok=True)
    report = _report(found)
    (folder / "evaluation.md").write_text(report.markdown() + "\n", encoding="utf-8")
    (folder / "evaluation.json").write_text(
        json.dumps(found["report"], ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (folder / "model-card.md").write_text(found["card"], encoding="utf-8")
    report.plot(folder / PLOT)
    errors.print(f"Table, numbers, plot and model card are in {folder}.", markup=False)


def show(found: dict[str, Any]) -> None:
    """Show the table, intervals below their numbers, so that it fits a terminal."""
    from rich import box
    from rich.table import Table

    report = _report(found)
    head, *rows = report.cells()
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_lines=len(rows) < 7
    )
    for n, title in enumerate(head):
        below = title.replace(" ", "\n")
        table.add_column(below, justify="right" if n else "left", no_wrap=n > 0)
    for name, *cells in rows:
        table.add_row(
            name.replace(" + ", "\n+ "), *(_INTERVAL.sub(r"\n\1–\2", cell) for cell in cells)
        )
    results.print(table)
    for line in report.remarks():
        results.print(line, markup=False, highlight=False)


def _report(found: dict[str, Any]) -> Any:
    from training.evaluation.report import Report
    from training.evaluation.ways import WaysReport

    kind = WaysReport if found["kind"] == "ways" else Report
    return kind.from_json(found["report"])
