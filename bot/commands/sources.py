"""`skredder ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import find_installation, print_json, results
from bot.commands.progress import bar


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Folders or files to read.")],
    audience: Annotated[str, typer.Option(help="Who may see them.")] = "everyone",
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Read documents into the index; run it again to bring it up to date."""
    installation = find_installation(settings)
    reports = []
    for path in paths:
        with bar(path.name) as advance:
            reports.append(
                installation.perform(
                    "ingest", {"path": str(path.absolute()), "audience": audience}, advance
                )
            )
    if as_json:
        print_json(reports)
        return
    for report in reports:
        results.print(
            f"{report['source']}: {report['added']} added, {report['changed']} changed, "
            f"{report['unchanged']} unchanged, {report['deleted']} deleted, "
            f"{report['passages']} passages in {report['seconds']:.1f} s",
            markup=False,
        )
        for skipped in report["skipped"]:
            results.print(
                f"  skipped {skipped['path']}: {skipped['reason']}", style="yellow", markup=False
            )
