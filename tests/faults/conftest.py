from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace
from storage import pairs
from storage.database import Database
from storage.pairs import NewPair
from tests.faults.stage import ANSWER, QUESTION, SETTINGS, Stage
from training.base_model import BaseModel


@pytest.fixture
def stage(tmp_path: Path, base_model: BaseModel) -> Iterator[Stage]:
    """Open a workspace and prepare the home of a bot with one verified answer."""
    workspace = Workspace()
    workspace.timing.retry_delays = (0.0, 1.0, 3.0)
    server = WorkspaceServer(workspace).start()
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(base_model.folder.parent)
    settings = SETTINGS.format(
        admin=workspace.person("Sindre").id,
        expert=workspace.person("Ingrid").id,
        api_url=server.base_url,
    )
    (home / "skredder.toml").write_text(settings, encoding="utf-8")
    database = Database(f"sqlite:///{home / 'skredder.db'}")
    database.migrate()
    with database.write() as session:
        pair = pairs.propose(
            session,
            NewPair(QUESTION, ANSWER, author="Ingrid", origin="import", origin_key="first"),
        )
        pairs.approve(session, pair.id, "Ingrid")
    opened = Stage(workspace, server, home, database)
    yield opened
    for process in opened.processes:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
    database.close()
    server.stop()
