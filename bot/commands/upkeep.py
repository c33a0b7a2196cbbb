"""`skredder reindex`, `skredder doctor` and `skredder gaps`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import find_installation, print_json, results
from bot.commands.progress import bar


def reindex(settings: SettingsOption = None) -> None:
    """Rebuild the vectors and the keyword index from the database."""
    with bar("Passages") as advance:
        rebuilt = find_installation(settings).perform("reindex", {}, advance)
    results.print(f"{rebuilt['passages']} passages are indexed.")


def doctor(
    only_look: Annotated[
        bool, typer.Option("--only-look", help="Report, and change nothing.")
    ] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Compare the indexes, the audit log and the model's files with the database, and repair."""
    checks = find_installation(settings).perform("doctor", {"repair": not only_look})
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            mark = "✓" if check["is_sound"] else ("↻" if check["repaired"] else "✗")
            repaired = f"; {check['repaired']}" if check["repaired"] else ""
            results.print(
                f"{mark} {check['name']}: {check['finding']}{repaired}",
                style=None if check["is_sound"] else "yellow",
                markup=False,
                highlight=False,
            )
    if any(not check["is_sound"] and not check["repaired"] for check in checks):
        raise typer.Exit(1)


def gaps(
    days: Annotated[int, typer.Option(min=1, help="How far to look back.")] = 90,
    limit: Annotated[int, typer.Option(min=1, help="How many topics.")] = 20,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Show what people asked and the documents did not answer, by topic."""
    found = find_installation(settings).perform("gaps", {"days": days, "limit": limit})
    if as_json:
        print_json(found)
        return
    for gap in found:
        results.print(f"{gap['times']:>4}  {gap['topic']}", markup=False, highlight=False)
        for question in gap["questions"]:
            if question != gap["topic"]:
                results.print(f"        {question}", style="dim", markup=False, highlight=False)
    if not found:
        results.print("Every question found something.")
