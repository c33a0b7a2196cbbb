"""The stage: the local workspace, the sample company in it, and the bot that answers there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot import slack
from bot.app import Skredder
from bot.demo import company_files
from bot.home import Home
from bot.settings import load
from bot.slack.calls import new_client
from bot.workspace.people import DEFAULT_PEOPLE
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace

log = logging.getLogger(__name__)

EMPLOYEE, COLLEAGUE, EXPERT, ADMIN = "Kari", "Tom", "Ingrid", "Sindre"
ASK_CHANNEL = "ask-fjellro"

#: The app as it is installed in Slack: the workspace holds the bot to it.
MANIFEST = Path(slack.__file__).parent / "manifest.json"

Progress = Callable[[dict[str, Any]], None]


class Stage:
    """Sets everything up, runs it, and takes it down again."""

    def __init__(self, home: Home, port: int = 0, locale: str = "en-US") -> None:
        """Take the home folder, the port of the workspace's page (0: any free one), and the
        language that people have their Slack in when the workspace is set up anew.
        """
        self.home = home.make()
        self.workspace = Workspace(
            people=tuple(replace(person, locale=locale) for person in DEFAULT_PEOPLE),
            state_file=self.home.root / "workspace.json",
        )
        self.server = WorkspaceServer(self.workspace, port=port)
        self._skredder: Skredder | None = None

    @property
    def skredder(self) -> Skredder:
        """The running installation."""
        assert self._skredder is not None, "the stage has not been started"
        return self._skredder

    def start(self, on_progress: Progress = lambda _: None) -> None:
        """Open the workspace, start the bot, and seed the company if it is not there yet."""
        self.workspace.install(json.loads(MANIFEST.read_text(encoding="utf-8")))
        self.server.start()
        self._write_settings()
        settings = load(self.home.settings)
        self._skredder = Skredder(self.home, settings, on_progress)
        self._seed(on_progress)
        client = new_client(self.server.bot_token, self.server.base_url)
        self.skredder.connect(client, self.server.app_token)
        self.workspace.wait_until_connected()

    def stop(self) -> None:
        """Stop the bot, then the workspace."""
        try:
            if self._skredder is not None:
                self._skredder.close()
        finally:
            self.server.stop()

    def person_id(self, name: str) -> str:
        """Return somebody's Slack id."""
        return self.workspace.person(name).id

    def _write_settings(self) -> None:
        if self.home.settings.is_file():
            return
        text = company_files.demo_settings([self.person_id(ADMIN)], [self.person_id(EXPERT)])
        self.home.settings.write_text(text, encoding="utf-8")

    def _seed(self, on_progress: Progress) -> None:
        """Read the handbook and the pairs; what is there already is left alone."""
        perform = self.skredder.operations.perform
        perform(
            "ingest", {"path": str(company_files.HANDBOOK), "audience": "everyone"}, on_progress
        )
        perform(
            "pairs.import",
            {
                "path": str(company_files.PAIRS),
                "approve": True,
                "looked_at": "Each was looked at when the sample company was written.",
            },
            on_progress,
        )
