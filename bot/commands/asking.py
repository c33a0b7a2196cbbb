"""`skredder ask` and `skredder search`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.installation import find_installation, print_json, results

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only tell what would be done; change nothing.")
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="The settings file to use.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def ask(
    question: Annotated[str, typer.Argument(help="What to ask.")],
    as_user: Annotated[str, typer.Option("--as", help="Whose question it is.")] = "command line",
    channel: Annotated[str, typer.Option(help="Ask as if in this channel.")] = "",
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Ask a question and see the answer with its sources."""
    result = find_installation(settings).perform(
        "ask", {"question": question, "user": as_user, "channel": channel}
    )
    if as_json:
        print_json(result)
    else:
        results.print(result["answer"], markup=False, highlight=False)
        for source in result["sources"]:
            results.print(
                f"  [{source['n']}] {source['title']} > {source['heading']}  ({source['uri']})",
                style="dim",
                markup=False,
                highlight=False,
            )
        note = f"{result['status']}, model {result['model_version'] or 'not asked'}"
        results.print(f"  {note}, {result['timings']['total']:.1f} s", style="dim", markup=False)
    if result["status"] == "failed":
        raise typer.Exit(1)


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many passages.")] = 5,
    audience: Annotated[str, typer.Option(help="Whose documents to look in.")] = "everyone",
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Find passages without asking the model."""
    found = find_installation(settings).perform(
        "search", {"query": query, "limit": limit, "audience": audience}
    )
    if as_json:
        print_json(found)
        return
    for hit in found:
        results.print(
            f"{hit['rank']}. {hit['title']} > {hit['heading']}  ({hit['uri']})", markup=False
        )
        results.print(f"   {' '.join(hit['text'].split())[:200]}", style="dim", markup=False)
    if not found:
        results.print("Nothing found.")
