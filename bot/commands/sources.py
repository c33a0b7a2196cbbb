"""`skredder ingest` and `skredder sources list|sync|remove`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import (
    Installation,
    errors,
    explained,
    fail,
    find_installation,
    print_json,
    results,
)
from bot.commands.progress import bar

sources_app = typer.Typer(
    help="Sources: the places documents come from, kept in step.", no_args_is_help=True
)

#: Changes that come within this many milliseconds are one sync.
_TOGETHER_MS = 400


def ingest(  # noqa: PLR0917 - the command's options, given by name
    places: Annotated[
        list[str], typer.Argument(help="Folders, files, exports, repositories or websites.")
    ],
    audience: Annotated[str, typer.Option(help="Who may see them.")] = "everyone",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and take in every change as it is saved.")
    ] = False,
    allow_deletions: Annotated[
        bool, typer.Option("--allow-deletions", help="Even if most pages of a source are gone.")
    ] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Read documents into the index; run it again to bring it up to date."""
    installation = find_installation(settings)
    locations = [_location(place) for place in places]
    reports = [_ingest(installation, each, audience, allow_deletions) for each in locations]
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            _print(report)
    if watch:
        _watch(installation, locations, audience)


@sources_app.command("list")
def list_sources(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Show the sources and when they were last gone through."""
    found = find_installation(settings).perform("sources.list", {})
    if as_json:
        print_json(found)
        return
    for source in found:
        synced = (source["synced_at"] or "never")[:16].replace("T", " ")
        results.print(
            f"{source['location']}  for {source['audience']}: {source['documents']} documents, "
            f"synced {synced}",
            markup=False,
            highlight=False,
        )
    if not found:
        results.print("No source yet. `skredder ingest PATH` adds one.")


@sources_app.command("sync")
def sync(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Bring all sources up to date."""
    with bar("Sources") as advance:
        reports = find_installation(settings).perform("sources.sync", {}, advance)
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            _print(report)
    if any("error" in report for report in reports):
        raise typer.Exit(1)


@sources_app.command("remove")
def remove(
    place: Annotated[str, typer.Argument(help="As `skredder sources list` shows it.")],
    audience: Annotated[str | None, typer.Option(help="Only for this audience.")] = None,
    settings: SettingsOption = None,
) -> None:
    """Remove a source: its documents, passages, vectors and keywords, and what quotes them."""
    for removal in find_installation(settings).perform(
        "sources.remove", {"location": place, "audience": audience}
    ):
        results.print(
            f"{removal['source']} is removed for {removal['audience']}: "
            f"{removal['passages']} passages are gone.",
            markup=False,
        )


def _location(place: str) -> str:
    is_remote = "://" in place or place.startswith("git@")
    return place if is_remote else str(Path(place).absolute())


def _ingest(
    installation: Installation, location: str, audience: str, allow_deletions: bool = False
) -> dict[str, Any]:
    with bar(location.rstrip("/").rsplit("/", 1)[-1]) as advance:
        report: dict[str, Any] = installation.perform(
            "ingest",
            {"path": location, "audience": audience, "allow_deletions": allow_deletions},
            advance,
        )
    return report


def _print(report: dict[str, Any]) -> None:
    if "error" in report:
        results.print(f"{report['source']}: {report['error']}", style="red", markup=False)
        return
    moved = f"{report['moved']} moved, " if report["moved"] else ""
    results.print(
        f"{report['source']}: {report['added']} added, {report['changed']} changed, {moved}"
        f"{report['unchanged']} unchanged, {report['deleted']} deleted, "
        f"{report['passages']} passages in {report['seconds']:.1f} s",
        markup=False,
    )
    for skipped in report["skipped"]:
        results.print(
            f"  skipped {skipped['path']}: {skipped['reason']}", style="yellow", markup=False
        )


def _watch(installation: Installation, locations: list[str], audience: str) -> None:
    from watchfiles import watch

    folders = [location for location in locations if Path(location).exists()]
    if not folders:
        fail("Only folders and files can be watched; others are synced on a schedule.", code=2)
    errors.print(f"Watching {len(folders)} places. Ctrl-C stops.")
    with explained():
        for changes in watch(*folders, debounce=_TOGETHER_MS, raise_interrupt=True):
            for folder in folders:
                if any(Path(path).is_relative_to(folder) for _, path in changes):
                    _print(_ingest(installation, folder, audience))
