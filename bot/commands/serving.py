"""`skredder serve` and `skredder demo`."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bot.commands.asking import SettingsOption
from bot.commands.installation import errors, explained, fail, find_installation, results
from bot.commands.progress import bar
from bot.home import Home, find_home

if TYPE_CHECKING:
    from bot.commands.installation import Installation
    from bot.demo.stage import Stage
    from bot.settings import Settings

#: The page of the local workspace, if no other port is asked for.
DEMO_PORT = 8765


def serve(settings: SettingsOption = None) -> None:
    """Run the bot in Slack (Socket Mode, or HTTP if the settings say so) until it is stopped."""
    from bot.app import Skredder
    from bot.logs import configure_logging
    from bot.slack.calls import new_client

    installation = find_installation(settings)
    chosen = installation.settings()
    if chosen.slack.mode == "http":
        _serve_http(installation, chosen)
        return
    tokens = {name: os.environ.get(name, "") for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")}
    for (name, token), prefix in zip(tokens.items(), ("xoxb-", "xapp-"), strict=True):
        if not token.startswith(prefix):
            fail(
                f"{name} must be set in the environment and begin with {prefix}. "
                "The README says in five steps where to find it.",
                code=2,
            )
    configure_logging(installation.home.make().logs, to_terminal=True)
    with explained(), Skredder(installation.home, chosen) as skredder:
        client = new_client(tokens["SLACK_BOT_TOKEN"], chosen.slack.api_url)
        skredder.connect(client, tokens["SLACK_APP_TOKEN"])
        errors.print("Skredder answers in Slack. Ctrl-C stops it.")
        _wait_for_end()
        errors.print("Stopping…")


def _serve_http(installation: Installation, chosen: Settings) -> None:
    from bot.app import Skredder
    from bot.logs import configure_logging
    from bot.slack.calls import new_client
    from bot.slack.http_server import HttpSecrets

    variables = ("SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
    try:
        secrets = HttpSecrets(*(os.environ.get(name, "") for name in variables))
    except ValueError as error:
        fail(str(error), code=2)
    token = os.environ.get("SLACK_BOT_TOKEN", "")
    if not secrets.has_oauth and not token.startswith("xoxb-"):
        fail(
            "HTTP mode needs SLACK_BOT_TOKEN for one workspace, or SLACK_CLIENT_ID and "
            "SLACK_CLIENT_SECRET to be installed in several.",
            code=2,
        )
    configure_logging(installation.home.make().logs, to_terminal=True)
    with explained(), Skredder(installation.home, chosen) as skredder:
        skredder.connect(new_client(token, chosen.slack.api_url), http=secrets)
        errors.print(f"Skredder listens on {chosen.slack.host}:{chosen.slack.port}. Ctrl-C stops.")
        _wait_for_end()
        errors.print("Stopping…")


def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page.")] = DEMO_PORT,
    tour: Annotated[
        bool, typer.Option("--tour", help="Play the whole loop in the terminal, and check it.")
    ] = False,
) -> None:
    """Run the whole product on this machine, with a sample company; no Slack account needed."""
    with explained():
        if tour:
            _tour()
        else:
            _demo(port)


def _demo(port: int) -> None:
    from bot.logs import configure_logging

    home = _demo_home()
    configure_logging(home.make().logs, to_terminal=False)
    stage = _raised_stage(home, port)
    try:
        results.print(
            f"\nThe workspace is open at {stage.server.page_url}\n"
            "Choose who you are at the top left, and ask in #ask-fjellro: "
            "“@Skredder how many days of leave do I get?”\n"
            f"Everything is kept under {home.root}. Ctrl-C stops.",
            markup=False,
            highlight=False,
        )
        _wait_for_end()
    finally:
        stage.stop()


def _tour() -> None:
    import shutil

    from bot.demo.company_files import read_script
    from bot.demo.tour import Tour
    from bot.logs import configure_logging

    root = _demo_home().root
    home = Home(root / "tour", shared_models=root / "models")
    home.own().release()  # refuses while another tour runs
    shutil.rmtree(home.root)  # the tour always begins at the beginning
    configure_logging(home.make().logs, to_terminal=False)
    stage = _raised_stage(home, 0)
    try:
        happened = Tour(stage, read_script(), Console()).play()
    finally:
        stage.stop()
    raise typer.Exit(0 if happened else 1)


def _raised_stage(home: Home, port: int) -> Stage:
    from bot.demo.stage import Stage

    stage = Stage(home, port)
    try:
        with bar("Setting the stage") as advance:
            stage.start(advance)
    except BaseException:
        stage.stop()
        raise
    return stage


def _demo_home() -> Home:
    """The demo keeps apart from a real installation, unless a home is named."""
    if os.environ.get("SKREDDER_HOME"):
        return find_home()
    real = find_home().root
    return Home(real.with_name(f"{real.name}-demo"))


def _wait_for_end() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    ended = threading.Event()

    def end(_signal: int, _frame: Any) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    ended.wait()
