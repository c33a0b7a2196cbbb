"""`skredder channels list|strict`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import find_installation, print_json, results

channels_app = typer.Typer(
    help="Channels: where the bot answers only when it is mentioned.", no_args_is_help=True
)


@channels_app.command("list")
def listed(as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """List the strict channels."""
    found = find_installation(settings).perform("channels.list", {})
    if as_json:
        print_json(found)
        return
    for each in found:
        results.print(f"{each['workspace']}/{each['channel']}", markup=False, highlight=False)
    if not found:
        results.print("In every channel the bot goes on in threads it was asked in.")


@channels_app.command("strict")
def strict(
    channel: Annotated[str, typer.Argument(help="The channel's id, such as C0123456.")],
    is_off: Annotated[bool, typer.Option("--off", help="Let it go on in threads again.")] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Let the bot answer only when it is mentioned in a channel."""
    arguments = {"channel": channel, "is_strict": not is_off}
    found = find_installation(settings).perform("channels.strict", arguments)
    if as_json:
        print_json(found)
    elif found["strict"]:
        results.print(f"In {channel} the bot answers only when it is mentioned.", markup=False)
    else:
        results.print(f"In {channel} the bot goes on in threads it was asked in.", markup=False)
