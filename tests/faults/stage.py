"""A real bot process beside a local workspace, to be killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace
from storage.database import Database
from storage.failpoints import KILLED, VARIABLE

#: An approved pair, so that a question can be answered without loading a model.
QUESTION = "How many days of parental leave do I get?"
ANSWER = "Hei! You get 49 weeks of parental leave with full pay. We've got you."

SETTINGS = """
goal = "Answer colleagues' questions from the handbook, in our voice."

[people]
admins = ["{admin}"]
experts = ["{expert}"]

[slack]
api_url = "{api_url}"
"""

Json = dict[str, Any]


@dataclass
class Stage:
    """A workspace and the home of a bot that is started, killed and started again."""

    workspace: Workspace
    server: WorkspaceServer
    home: Path
    database: Database
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, fail_at: str = "", *, wait: bool = True) -> subprocess.Popen[bytes]:
        """Start the bot, to die at a failpoint if one is named, and wait until it listens."""
        environment = os.environ | {
            "SKREDDER_HOME": str(self.home),
            "SKREDDER_SETTINGS": str(self.home / "skredder.toml"),
            "SLACK_BOT_TOKEN": self.server.bot_token,
            "SLACK_APP_TOKEN": self.server.app_token,
            VARIABLE: fail_at,
        }
        with (self.home / "stderr.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"], env=environment, stdout=log, stderr=log
            )
        self.processes.append(process)
        if wait:
            self.workspace.wait_until_connected(60)
        return process

    def until_killed(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the process to die at its failpoint; anything else is a broken test."""
        code = process.wait(60)
        assert code == KILLED, f"ended with {code}: {self.log()[-3000:]}"
        self.workspace.wait_for(lambda: not self.workspace.sockets.connections, 10)

    def log(self) -> str:
        """Return what the bot wrote to its terminal."""
        return (self.home / "stderr.txt").read_text(encoding="utf-8", errors="replace")

    def replies(self, ts: str, channel: str = "general") -> list[Json]:
        """Return what the bot has said in a thread."""
        thread = self.workspace.messages(channel, ts)
        return [m for m in thread if m.get("user") == self.workspace.bot_user_id]

    def is_answered(self, ts: str) -> bool:
        """Whether a finished answer stands in the thread."""
        return any("answer_feedback" in str(m.get("blocks")) for m in self.replies(ts))

    def wait_until(self, happened: Callable[[], Any], what: str, seconds: float = 40) -> Any:
        """Wait for something; on failure show what the bot logged."""
        try:
            return self.workspace.wait_for(happened, seconds, what)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.log()[-4000:]}") from error

    def settle(self) -> None:
        """Let whatever might still happen happen: a late repetition would show now."""
        time.sleep(1.5)
