"""`skredder train run|status|cancel|list|changes|promote|rollback|withdraw|challenge|retire|…`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import find_installation, print_json, results
from bot.commands.progress import bar

train_app = typer.Typer(
    help="Training: from approved pairs to a version that is proved before it speaks.",
    no_args_is_help=True,
)


@train_app.command("plan")
def plan(
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve",
            help="Also train with a quarter, half and all of the pairs, to see whether more of "
            "them still help. It takes as long as nearly two trainings with so many.",
        ),
    ] = False,
    most: Annotated[
        int | None,
        typer.Option(help="How many pairs the curve learns from at most, 240 if not said."),
    ] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Say whether tuning is worth it now: keep to retrieval, gather more (of what), or train."""
    installation = find_installation(settings)
    found = installation.perform("train.plan", {})
    curve = None
    if learning_curve:
        with bar("Learning curve") as advance:
            curve = installation.perform("train.curve", {"most": most}, advance)
        found |= {"learning_curve": curve}
    if as_json:
        print_json(found)
        return
    for finding in found["findings"]:
        mark = "✓" if finding["is_met"] else "✗"
        told = f"{mark} {finding['question']} {finding['answer']}"
        results.print(told, markup=False, highlight=False)
    results.print(found["message"], markup=False)
    results.print("\nWhat a run would take:")
    for line in found["takes"]:
        results.print(f"  {line}", markup=False, highlight=False)
    if curve is not None:
        results.print("\nPairs learned from, and the loss on answers that were not, nats a token:")
        for point in curve["points"]:
            told = f"  {point['pairs']:>6,}  {point['loss']:.3f}"
            results.print(told, markup=False, highlight=False)
        results.print(curve["message"], markup=False, highlight=False)


@train_app.command("run")
def run(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Train, measure and, if the gate lets it, promote. Ctrl-C stops; running again resumes.

    A run that is paused, because the disk or the memory did not suffice, goes on from its last
    checkpoint.
    """
    with bar("training") as advance:
        outcome = find_installation(settings).perform("train.run", {}, advance)
    if as_json:
        print_json(outcome)
        return
    results.print(outcome["table"], markup=False, highlight=False)
    results.print(outcome["message"], markup=False)
    if outcome["state"] in ("failed", "cancelled", "paused"):
        raise typer.Exit(1)


@train_app.command("status")
def status(
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Also draw how answers did on what experts bettered, over time, as a PNG file."
        ),
    ] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Say which version answers, how a trial stands, what has gathered, how the last run went."""
    wanted = {} if plot is None else {"plot": str(plot.absolute())}
    found = find_installation(settings).perform("train.status", wanted)
    if as_json:
        print_json(found)
        return
    trial = found["trial"]["lines"] if found["trial"] else ()
    first = (f"Answering now: {found['serving']}", found["base"]["line"])
    for line in (*first, *trial, found["readiness"], found["last_run"]):
        results.print(line, markup=False, highlight=False)
    _print_on_new_questions(found["on_new_questions"])
    if plot is not None:
        results.print(f"Drawn over time: {plot}", markup=False, highlight=False)


def _print_on_new_questions(versions: list[dict[str, Any]]) -> None:
    """Show how each version did on what experts bettered before it could learn it."""
    if not versions:
        return
    results.print("\nAnswers that experts bettered, and how many of them said the same:")
    for each in versions:
        share = each["agreeing"]
        told = (
            f"  {each['version']:<10} {each['since'][:10]} to {each['until'][:10]}  "
            f"{each['pairs']:>5}  {share['mean']:4.0%}  ({share['low']:.0%} to {share['high']:.0%})"
        )
        results.print(told, markup=False, highlight=False)


@train_app.command("cancel")
def cancel(settings: SettingsOption = None) -> None:
    """Stop the run that is under way."""
    outcome = find_installation(settings).perform("train.cancel", {})
    results.print(outcome["message"], markup=False)


@train_app.command("list")
def list_versions(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """List the versions and what the gate said of each."""
    found = find_installation(settings).perform("train.list", {})
    if as_json:
        print_json(found)
        return
    for version in found:
        mark = "→" if version["serving"] else " "
        results.print(
            f"{mark} {version['name']:<8} {version['gate']:<10} {version['created_at']}",
            markup=False,
            highlight=False,
        )


@train_app.command("changes")
def changes(
    version: Annotated[
        str | None, typer.Argument(help="Which: v3; the newest that learned from corrections.")
    ] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Show of each correction what was said before a version learned it, and what it says."""
    found = find_installation(settings).perform("train.changes", {"version": version})
    if as_json:
        print_json(found)
        return
    before, now = found["against"] or "before", found["version"]
    lines = [f"{'expert':<20} {'corrections':>11} {before:>8} {now:>8}   answered as they would"]
    lines += [
        f"{each['author']:<20} {each['corrections']:>11} {each['before']:>8} {each['now']:>8}"
        for each in found["experts"]
    ]
    for each in found["corrections"]:
        lines += [
            "",
            f"{each['question']}  (pair {each['pair_id']}, {each['author']})",
            f"    expert  {each['expert']}",
            f"  {_mark(each['agreed_before'])} {before:<7} {each['before']}",
            f"  {_mark(each['agrees_now'])} {now:<7} {each['after']}",
        ]
    for line in lines:
        results.print(line, markup=False, highlight=False)


def _mark(agrees: bool) -> str:
    return "✓" if agrees else "✗"


@train_app.command("rollback")
def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept in the audit.")] = "from the command line",
    settings: SettingsOption = None,
) -> None:
    """Let the version before answer again."""
    outcome = find_installation(settings).perform("train.rollback", {"reason": reason})
    results.print(f"{outcome['version']} answers again.")


@train_app.command("withdraw")
def withdraw(
    reason: Annotated[str, typer.Option(help="Why; kept in the audit.")] = "from the command line",
    settings: SettingsOption = None,
) -> None:
    """End the trial of a version: the one that answers the others answers its threads, too."""
    outcome = find_installation(settings).perform("train.withdraw", {"reason": reason})
    results.print(f"{outcome['version']} is not on trial any more.")


@train_app.command("promote")
def promote(
    version: Annotated[str, typer.Argument(help="Which: v3.")],
    reason: Annotated[
        str, typer.Option(help="Why; needed for a version that the gate refused.")
    ] = "",
    settings: SettingsOption = None,
) -> None:
    """Let a version answer."""
    asked = {"version": version, "reason": reason}
    outcome = find_installation(settings).perform("train.promote", asked)
    results.print(f"{outcome['version']} answers.")


@train_app.command("challenge")
def challenge(
    base: Annotated[
        str,
        typer.Option(
            help="The other base model: a folder, the id of a hub model (fetched then), `bundled`."
        ),
    ],
    *,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="Train it with the approved pairs first.")
    ] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Measure another base model beside the version that answers; nobody's champion is changed.

    Ctrl-C stops; asked for again, it goes on.
    """
    folder = Path(base).expanduser()
    asked = {"base": str(folder.resolve()) if folder.is_dir() else base, "tuned": tuned}
    with bar("Preparing") as advance:
        found = find_installation(settings).perform("train.challenge", asked, advance)
    if as_json:
        print_json(found)
        return
    results.print(found["table"], markup=False, highlight=False)
    verdict = "lets it through" if found["passed"] else "refuses it"
    lines = ["", f"{found['version']} beside {found['beside']}: the gate {verdict}:"]
    lines += [f"- {reason}" for reason in found["reasons"]]
    lines += ["", found["advice"], f"Report, plot and card are in {found['folder']}."]
    for line in lines:
        results.print(line, markup=False, highlight=False)


@train_app.command("retire")
def retire(
    version: Annotated[str, typer.Argument(help="Which: v3.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit.")],
    settings: SettingsOption = None,
) -> None:
    """Delete the files of a version that is not needed; what it was and reached stays."""
    asked = {"version": version, "reason": reason}
    outcome = find_installation(settings).perform("train.retire", asked)
    results.print(f"{outcome['version']} is retired; its files are deleted.")


@train_app.command("schedule")
def schedule(
    line: Annotated[
        str, typer.Argument(help="A cron line in UTC (`0 2 * * *`), or `off`; shown without it.")
    ] = "",
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Show or change when it is looked whether to train."""
    found = find_installation(settings).perform("train.schedule", {"line": line})
    if as_json:
        print_json(found)
        return
    following = found["next"] or "never"
    results.print(f"{found['schedule']} (UTC), next: {following}", markup=False)
