"""The command `skredder`."""

from __future__ import annotations

import typer

from bot.commands import asking, evaluating, pair_care, serving, sources, upkeep
from bot.commands.channels import channels_app
from bot.commands.exporting import versions_app
from bot.commands.pairs import pairs_app
from bot.commands.sources import sources_app
from bot.commands.train import train_app

app = typer.Typer(
    name="skredder",
    help="A Slack bot that answers from the company's own documents, in its voice, and learns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(serving.demo)
app.command()(serving.serve)
app.command()(sources.ingest)
app.command()(asking.search)
app.command()(asking.ask)
app.command()(evaluating.evaluate)
app.command()(upkeep.reindex)
app.command()(upkeep.doctor)
app.command()(upkeep.gaps)
app.command()(pair_care.erase)
pairs_app.command("export")(pair_care.export)
pairs_app.command("import-slack")(pair_care.import_slack)
pairs_app.command("withdraw")(pair_care.withdraw)
pairs_app.command("clear")(pair_care.clear)
pairs_app.command("mask")(pair_care.mask)
pairs_app.command("check")(pair_care.check)
app.add_typer(sources_app, name="sources")
app.add_typer(pairs_app, name="pairs")
app.add_typer(train_app, name="train")
app.add_typer(versions_app, name="versions")
app.add_typer(channels_app, name="channels")


def main() -> None:
    """Run the command line."""
    app()
