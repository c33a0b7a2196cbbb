"""`skredder pairs import|export|list|approve|reject|revoke`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.asking import DryRunOption, JsonOption, SettingsOption
from bot.commands.installation import explained, fail, find_installation, print_json, results
from bot.commands.progress import bar

pairs_app = typer.Typer(
    help="Pairs: questions with right answers, for answering and training.", no_args_is_help=True
)

PairArgument = Annotated[int, typer.Argument(help="The pair's number.")]


@pairs_app.command("import")
def import_pairs(  # noqa: PLR0917 - the command's options, given by name
    file: Annotated[Path, typer.Argument(help="A JSONL, JSON or CSV file.")],
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve them at once, in your name.")
    ] = False,
    looked_at: Annotated[
        str | None,
        typer.Option(
            help="Who has looked at them already, and how; then nothing holds them but what is "
            "personal or secret."
        ),
    ] = None,
    not_personal: Annotated[
        str | None,
        typer.Option(help="Why what looks personal or secret in this file is not; it is kept."),
    ] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Read pairs from a file; reading the same file twice adds nothing."""
    installation = find_installation(settings)
    with bar(file.name) as advance:
        report = installation.perform(
            "pairs.import",
            {
                "path": str(file.absolute()),
                "approve": approve,
                "looked_at": looked_at,
                "not_personal": not_personal,
                "dry_run": dry_run,
            },
            advance,
        )
    if as_json:
        print_json(report)
        return
    if dry_run:
        _print_preview(report)
        return
    results.print(
        f"{report['added']} added, {report['known']} known already, "
        f"{len(report['skipped'])} skipped."
    )
    _print_skipped(report)
    if report["held"]:
        results.print(f"{report['held']} of them are held until an expert has looked at them.")
    if report["personal"]:
        numbers = ", ".join(str(number) for number in report["personal"])
        results.print(
            f"Something personal or secret is found in {numbers}: `skredder pairs mask` takes it "
            "out."
        )
    if report["added"] and not approve:
        results.print("They wait for approval: `skredder pairs list --state proposed`.")


@pairs_app.command("list")
def list_pairs(
    state: Annotated[
        str | None,
        typer.Option(help="Only pairs in this state; `review`: those whose page changed."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Show pairs, newest first."""
    found = find_installation(settings).perform("pairs.list", {"state": state, "limit": limit})
    if as_json:
        print_json(found)
        return
    for pair in found:
        results.print(
            f"{pair['id']:>5}  {pair['state']:<10} {pair['split']:<8} {pair['input'][:80]}",
            markup=False,
            highlight=False,
        )


@pairs_app.command("approve")
def approve(pair: PairArgument, settings: SettingsOption = None) -> None:
    """Approve a proposed pair: it is what its question gets from now on."""
    _decide("pairs.approve", pair, settings)


@pairs_app.command("reject")
def reject(pair: PairArgument, settings: SettingsOption = None) -> None:
    """Turn a proposed pair down."""
    _decide("pairs.reject", pair, settings)


@pairs_app.command("revoke")
def revoke(pair: PairArgument, settings: SettingsOption = None) -> None:
    """Take an approved pair back: neither answered with nor trained on any more."""
    _decide("pairs.revoke", pair, settings)


@pairs_app.command("confirm")
def confirm(pair: PairArgument, settings: SettingsOption = None) -> None:
    """Say that a pair whose page has changed is still right."""
    _decide("pairs.confirm", pair, settings)


@pairs_app.command("release")
def release(
    pair: PairArgument,
    reason: Annotated[
        str | None, typer.Option(help="Why it may train; kept with the pair.")
    ] = None,
    not_personal: Annotated[
        str | None,
        typer.Option(help="Why what looks personal or secret in it is not; kept with the pair."),
    ] = None,
    settings: SettingsOption = None,
) -> None:
    """Let a pair train that something holds; not while anything personal or secret is in it."""
    if reason is None and not_personal is None:
        fail("Say why it may train: --reason, or --not-personal for a false alarm.", code=2)
    installation, released = find_installation(settings), 0
    with explained():
        if not_personal is not None:
            said = {"pair_id": pair, "why": not_personal}
            done = installation.perform("pairs.not_personal", said)
            released = done["released"]
            if reason is None and done["holds"]:
                results.print(f"Pair {pair} is still held; --reason releases it from the rest:")
                for hold in done["holds"]:
                    results.print(f"  {hold}", style="yellow", markup=False)
                return
        if reason is not None and (not_personal is None or done["holds"]):
            said = {"pair_id": pair, "reason": reason}
            released += installation.perform("pairs.release", said)["released"]
    results.print(f"Pair {pair} is released; {released} reasons held it.")


@pairs_app.command("merge")
def merge(
    pair: PairArgument,
    other: Annotated[int, typer.Argument(help="The other pair's number.")],
    settings: SettingsOption = None,
) -> None:
    """Say that two pairs ask the same, so that both lie on one side of the split."""
    with explained():
        done = find_installation(settings).perform(
            "pairs.merge", {"pair_id": pair, "other_id": other}
        )
    side = "trains" if done["split"] == "train" else "is kept for measuring"
    results.print(f"They are one group, which {side}.")
    if done["set_aside"]:
        aside = ", ".join(str(number) for number in done["set_aside"])
        results.print(
            f"Set aside, on neither side any more: {aside}. On the other side they would leak."
        )


@pairs_app.command("conflicts")
def conflicts(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Show the pairs that contradict each other, side by side."""
    found = find_installation(settings).perform("pairs.conflicts", {})
    if as_json:
        print_json(found)
        return
    for each in found:
        told = f"{each['conflict']:>5}  {each['question'][:80]}: {each['disagreement']}"
        results.print(told, markup=False, highlight=False)
        for age in ("older", "newer"):
            pair = each[age]
            told = f"       {age} (pair {pair['id']}, {pair['author']}): {pair['output']}"
            results.print(told, markup=False, highlight=False)


@pairs_app.command("decide")
def decide(
    conflict: Annotated[int, typer.Argument(help="The conflict's number.")],
    keep: Annotated[str, typer.Argument(help="Which is right: older, newer or both.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")],
    settings: SettingsOption = None,
) -> None:
    """Say which of two pairs that contradict each other is right."""
    with explained():
        find_installation(settings).perform(
            "pairs.decide", {"conflict_id": conflict, "keep": keep, "reason": reason}
        )
    results.print(f"Conflict {conflict} is decided: {keep}.")


def _print_preview(report: dict[str, Any]) -> None:
    results.print(
        f"{report['added']} would be added, {report['known']} known already, "
        f"{len(report['skipped'])} refused."
    )
    _print_skipped(report)
    if report["held"]:
        results.print(
            f"{report['held']} of them would be held until an expert has looked at them, "
            f"{report['personal']} because of something personal or secret. The first:"
        )
    for row in report["shown"]:
        results.print(f"  {row['question'][:80]}", markup=False, highlight=False)
        for reason in row["reasons"]:
            results.print(f"    {reason}", style="yellow", markup=False, highlight=False)
    results.print("Nothing was changed.")


def _print_skipped(report: dict[str, Any]) -> None:
    for row in report["skipped"]:
        results.print(f"  line {row['line']}: {row['reason']}", style="yellow", markup=False)


def _decide(operation: str, pair: int, settings: Path | None) -> None:
    with explained():
        changed = find_installation(settings).perform(operation, {"pair_id": pair})
    results.print(f"Pair {changed['id']} is {changed['state']}.")
