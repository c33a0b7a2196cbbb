"""Storage stays bounded: what is retired is gone from the disk, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.home import find_home
from bot.retiring import RetiredVersions
from bot.retraining import RetrainRefused
from storage import audit, runs, versions
from storage.database import Database
from storage.failpoints import KILLED, VARIABLE

KILLED_BETWEEN = """
import sys
from pathlib import Path
from bot.retiring import RetiredVersions
from storage.database import Database
found = RetiredVersions(Database(sys.argv[1]), Path(sys.argv[2]), 5)
found.retire("U1", "v1", "too old")
"""


def made(database: Database, folder: Path, *names: str) -> None:
    """Leave refused versions with files."""
    for name in names:
        (folder / name / "adapter").mkdir(parents=True)
        (folder / name / "model.gguf").write_bytes(b"weights")
        with database.write() as session:
            versions.ensure_base(session)
            run = runs.propose(session, name, "U1")
            runs.abandon(session, run.id, "")
            found = versions.register(
                session,
                name,
                run_id=run.id,
                folder=str(folder / name),
                manifest_sha256="0" * 64,
            )
            versions.judge(session, found.id, "refused")


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_files_of_a_retired_version_are_deleted(database: Database, tmp_path: Path) -> None:
    made(database, tmp_path / "versions", "v1", "v2")
    found = RetiredVersions(database, tmp_path / "versions", 5)
    assert found.retire("U1", "v1", "too old") == "v1"
    assert lying(tmp_path / "versions") == ["v2"]
    with pytest.raises(RetrainRefused, match="retired before"):
        found.retire("U1", "v1", "too old")


def test_more_versions_than_are_kept_are_retired_and_it_is_said(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "versions"
    made(database, folder, "v1", "v2", "v3", "v4")
    found = RetiredVersions(database, folder, 2)
    with caplog.at_level("INFO"):
        assert found.tidy() == ("v1", "v2")
    assert lying(folder) == ["v3", "v4"]
    assert "version retired version=v1 by=upkeep" in caplog.text
    with database.read() as session:
        record = audit.latest(session)[0]
    assert (record.actor, record.action) == ("upkeep", "version.retire")
    assert "More than 2 versions" in record.details["reason"]
    assert found.tidy() == ()


def test_a_process_killed_between_the_word_and_the_files_leaves_nothing_for_good(
    tmp_path: Path,
) -> None:
    url, folder = f"sqlite:///{tmp_path / 'skredder.db'}", tmp_path / "versions"
    database = Database(url)
    database.migrate()
    made(database, folder, "v1", "v2")
    dead = subprocess.run(
        [sys.executable, "-c", KILLED_BETWEEN, url, str(folder)],
        env={**os.environ, VARIABLE: "retire.before_files"},
        check=False,
    )
    assert dead.returncode == KILLED
    assert lying(folder) == ["v1", "v2"]
    found = RetiredVersions(database, folder, 5)
    assert [version.name for version in found.leftovers()] == ["v1"]
    found.tidy()
    assert lying(folder) == ["v2"]
    assert found.leftovers() == ()
    database.close()


def test_nothing_outside_the_folder_of_versions_is_ever_deleted(
    database: Database, tmp_path: Path
) -> None:
    made(database, tmp_path / "elsewhere", "v1")
    (tmp_path / "versions").mkdir()
    RetiredVersions(database, tmp_path / "versions", 5).retire("U1", "v1", "too old")
    assert lying(tmp_path / "elsewhere") == ["v1"]


def test_a_version_is_retired_by_a_command_and_every_other_says_so(installation: Path) -> None:
    home = find_home()
    database = Database(f"sqlite:///{home.database}")
    database.migrate()
    made(database, home.runs / "versions", "v1")
    database.close()

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == code, result.output
        return result.output

    assert "--reason" in run("train", "retire", "v1", code=2)
    assert "v1 is retired" in run("train", "retire", "v1", "--reason", "a bad run")
    assert lying(home.runs / "versions") == []
    listed = json.loads(run("train", "list", "--json"))
    assert [(each["name"], each["gate"]) for each in listed] == [
        ("v1", "retired"),
        ("base", "passed"),
    ]
    out = str(installation / "out")
    for command in (
        ("train", "promote", "v1", "--reason", "still"),
        ("versions", "export", "v1", "--out", out),
        ("evaluate", "--version", "v1"),
        ("evaluate", "--against", "v1"),
    ):
        assert "v1 was retired and its files are deleted" in " ".join(run(*command, code=1).split())
