"""`skredder erase`, and `skredder pairs export|import-slack|withdraw|clear|mask|check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.asking import DryRunOption, JsonOption, SettingsOption
from bot.commands.installation import fail, find_installation, print_json, results
from bot.commands.progress import bar

YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking once more.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept with what is changed.")]


def erase(
    user: Annotated[
        str,
        typer.Option(
            help="The person's id in Slack, behind that of their workspace if it is not the first: "
            "U024BE7LH, T061EG9R6/U024BE7LH."
        ),
    ],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Erase a person: their words everywhere, their pairs; tell what was trained on them."""
    installation = find_installation(settings)
    _ask_first(f"Erase everything that {user} wrote? It cannot be undone.", yes or dry_run, as_json)
    with bar(user) as advance:
        report = installation.perform("erase", {"user": user, "dry_run": dry_run}, advance)
    if as_json:
        print_json(report)
    else:
        _print_erasure(report)
    if report["left"]:
        raise typer.Exit(1)


def export(  # noqa: PLR0917 - the command's options, given by name
    file: Annotated[Path, typer.Argument(help="Where to write; the ending is .jsonl or .csv.")],
    state: Annotated[str, typer.Option(help="Pairs in which state.")] = "approved",
    form: Annotated[
        str | None,
        typer.Option("--as", help="jsonl, csv, chat or alpaca; by the ending if left out."),
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(help="The pairs of this snapshot: how its digest begins.")
    ] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Write pairs to a file, with a data card beside it."""
    report = find_installation(settings).perform(
        "pairs.export",
        {"path": str(file.absolute()), "form": form, "state": state, "snapshot": snapshot},
    )
    if as_json:
        print_json(report)
        return
    _plain(f"{report['count']} pairs written to {file}; the data card: {report['card']}")
    for reason, count in report["left_out"]:
        if count:
            _plain(f"{count} left out {reason}.")


def import_slack(  # noqa: PLR0917 - the command's options, given by name
    export: Annotated[Path, typer.Argument(help="The export: a zip file or a folder.")],
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Only this channel, a private one, too. May be repeated."),
    ] = None,
    trusted: Annotated[
        list[str] | None,
        typer.Option(help="Whose answers count, by id or name. The experts if left out."),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Propose the threads of a Slack export that somebody trusted answered. Approves nothing."""
    installation = find_installation(settings)
    arguments: dict[str, Any] = {
        "path": str(export.absolute()),
        "channels": channel or [],
        "trusted": trusted or [],
    }

    def run(*, is_dry: bool) -> dict[str, Any]:
        with bar(export.name) as advance:
            report: dict[str, Any] = installation.perform(
                "pairs.import_slack", arguments | {"dry_run": is_dry}, advance
            )
        return report

    if as_json:
        print_json(run(is_dry=dry_run))
        return
    if dry_run or not yes:
        preview = run(is_dry=True)
        _print_threads(preview)
        if dry_run or preview["found"] == preview["known"]:
            return
        _ask_first("Propose these?", yes, as_json)
    report = run(is_dry=False)
    results.print(
        f"{report['added']} proposed, {report['known']} known already; {report['held']} of the "
        "new ones are held for a reason."
    )
    if report["added"]:
        results.print("They wait for approval: `skredder pairs list --state proposed`.")


def withdraw(
    author: Annotated[str, typer.Option(help="The author's id, or name as a file had it.")],
    reason: ReasonOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Withdraw all pairs of an author in one step, and list the runs that used them."""
    report = find_installation(settings).perform(
        "pairs.withdraw", {"author": author, "reason": reason, "dry_run": dry_run}
    )
    if as_json:
        print_json(report)
        return
    would = "would be " if dry_run else ""
    results.print(
        f"{report['revoked']} approved and {report['rejected']} waiting pairs {would}withdrawn."
    )
    _print_uses(report)


def clear(
    pair: Annotated[int, typer.Argument(help="The pair's number.")],
    reason: ReasonOption,
    settings: SettingsOption = None,
) -> None:
    """Let everybody see a pair that was for some only, and the common model learn from it."""
    cleared = find_installation(settings).perform(
        "pairs.clear", {"pair_id": pair, "reason": reason}
    )
    results.print(f"Pair {cleared['id']} is for {cleared['audience']}.")
    _print_holds(cleared["holds"])


def mask(
    pair: Annotated[int, typer.Argument(help="The pair's number.")],
    settings: SettingsOption = None,
) -> None:
    """Mask what is personal or secret in a pair; the masked one takes its place."""
    new = find_installation(settings).perform("pairs.mask", {"pair_id": pair})
    _plain(f"Pair {new['id']} is {new['state']} in its place:")
    _plain(f"  {new['input']}\n  {new['output']}")
    _print_holds(new["holds"])


def check(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Look at all pairs in use again, and hold those that an expert should look at."""
    with bar("Pairs") as advance:
        report = find_installation(settings).perform("pairs.check", {}, advance)
    if as_json:
        print_json(report)
        return
    _plain(f"{report['looked_at']} pairs looked at; {len(report['held'])} are held now.")
    for number, reasons in report["held"]:
        for reason in reasons:
            _plain(f"  pair {number}: {reason}")


def _ask_first(question: str, is_certain: bool, as_json: bool) -> None:
    if is_certain:
        return
    if as_json:
        fail("Add --yes, or --dry-run to see what would be done.", code=2)
    if not typer.confirm(question):
        raise typer.Exit(1)


def _print_holds(reasons: list[str]) -> None:
    for reason in reasons:
        results.print(f"  held: {reason}", style="yellow", markup=False)


def _print_threads(report: dict[str, Any]) -> None:
    results.print(
        f"{report['threads']} threads: {report['found']} answered by somebody trusted "
        f"({report['confirmed']} of them confirmed by who asked), {report['known']} known already."
    )
    for reason, count in report["left_out"].items():
        results.print(f"  {count} left out: {reason}", markup=False)
    for each in report["unread"]:
        results.print(f"  not read: {each['path']}: {each['reason']}", style="yellow", markup=False)
    for thread in report["shown"]:
        where = thread["link"] or f"#{thread['channel']}"
        _plain(f"\n  {thread['asked_by']}: {thread['question'][:200]}")
        _plain(f"  {thread['answered_by']}: {thread['answer'][:200]}")
        _plain(f"  {where}, for {thread['audience']}")


def _print_erasure(report: dict[str, Any]) -> None:
    would = "would be " if report["is_dry"] else ""
    if since := report["unfinished_since"]:
        results.print(
            f"An erasure of them was begun at {since} and has not come to its end. "
            + ("Without --dry-run it is finished." if would else "It was gone on with."),
            style="yellow",
            markup=False,
        )
    _plain(
        f"{report['questions']} questions, {report['pairs']} pairs by them and "
        f"{report['asked_pairs']} made from their questions {would}erased."
    )
    if not report["is_dry"]:
        rows = ", ".join(f"{table} {count}" for table, count in report["rows"].items())
        _plain(f"Copies taken out of other rows: {rows or 'none'}.")
        for file in report["files"]:
            _plain(f"  {file['done']}: {file['path']}")
    _print_uses(report)
    for place, count in report["left"].items():
        results.print(f"STILL THERE: {place} ({count})", style="red", markup=False)
    if report["is_dry"]:
        return
    if report["is_gone"]:
        _plain("Searched again: nothing of them is left in tables, indexes, snapshots and logs.")
    else:
        _plain("It is kept as not finished: do away with what is in the way, then erase again.")
    for sentence in report["kept"]:
        results.print(f"  {sentence}", style="dim", markup=False, highlight=False)
    _plain(f"The report: {report['report_file']}")


def _print_uses(report: dict[str, Any]) -> None:
    uses = report["uses"]
    for snapshot in uses["snapshots"]:
        _plain(
            f"Snapshot {snapshot['digest'][:12]}: {snapshot['train']} of them to train on, "
            f"{snapshot['held_out']} to measure with."
        )
    for run in uses["runs"]:
        _plain(f"Run {run['id']}: {run['state']}.")
    for version in uses["versions"]:
        answers = ", answers now" if version["is_serving"] else ""
        _plain(f"Version {version['name']}: {version['gate']}{answers}.")
    if not uses["snapshots"]:
        _plain("No model was trained on them.")
    for number, step in enumerate(report["plan"]["steps"], start=1):
        _plain(f"{number}. {step}")


def _plain(text: str) -> None:
    results.print(text, markup=False, highlight=False)
