"""Finding the installation a command works on, and doing the command's work there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from bot.control import client
from bot.control.client import NotRunning, OperationFailed
from bot.home import Home, HomeOwned, find_home
from bot.settings import Settings, SettingsInvalid, load

Progress = Callable[[dict[str, Any]], None]

#: Results go to stdout; everything else to stderr, so that a pipe gets only results.
errors = Console(stderr=True)
results = Console(soft_wrap=True)


@dataclass(frozen=True)
class Installation:
    """A home folder and the settings file that goes with it."""

    home: Home
    settings_file: Path

    def settings(self) -> Settings:
        """Return the settings, or end the command with what is wrong with them."""
        with explained():
            return load(self.settings_file)

    def perform(
        self,
        operation: str,
        arguments: dict[str, Any],
        on_progress: Progress = lambda _: None,
    ) -> Any:
        """Do an operation: in the bot that runs here, else in this process."""
        with explained():
            try:
                return client.perform(self.home.control, operation, arguments, on_progress)
            except NotRunning:
                return self._perform_here(operation, arguments, on_progress)

    def _perform_here(
        self, operation: str, arguments: dict[str, Any], on_progress: Progress
    ) -> Any:
        from bot.app import Skredder
        from bot.logs import configure_logging

        settings = load(self.settings_file)
        configure_logging(self.home.make().logs, to_terminal=False)
        with Skredder(self.home, settings) as skredder:
            return skredder.operations.perform(operation, arguments, on_progress)


def find_installation(settings_file: Path | None) -> Installation:
    """Return the installation that the environment and `--settings` name."""
    home = find_home()
    named = settings_file or os.environ.get("SKREDDER_SETTINGS")
    if named:
        return Installation(home, Path(named))
    here = Path("skredder.toml")
    return Installation(home, here if here.is_file() else home.settings)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors that a person can act on into a sentence on stderr and an exit code.

    The code is 2 for wrong use (settings, a home that is taken) and 1 for work that failed.
    """
    from bot.operations import USER_ERRORS

    try:
        yield
    except (SettingsInvalid, HomeOwned) as error:
        fail(str(error), code=2)
    except USER_ERRORS as error:
        fail(str(error), code=1)
    except OperationFailed as error:
        fail(str(error), code=1)
    except KeyboardInterrupt:
        fail("Stopped. What was done so far is kept; the same command goes on from there.", 130)


def fail(message: str, code: int) -> None:
    """End the command with a message."""
    errors.print(message, style="red", markup=False, highlight=False)
    raise typer.Exit(code)


def print_json(result: Any) -> None:
    """Write a result for another program."""
    json.dump(result, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
