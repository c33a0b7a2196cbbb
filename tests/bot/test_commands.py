from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.home import Home
from training.base_model import BaseModel

PAGE = """---
title: Leave
---
# Leave

## Annual leave

Everyone gets 27 days of paid annual leave each year. Book it in Timely 14 days ahead.
"""


@pytest.fixture
def folder(
    tmp_path: Path, base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Make an installation with one page, and let commands work on it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(base_model.folder.parent)
    settings = tmp_path / "skredder.toml"
    settings.write_text('goal = "Answer colleagues from the handbook, warmly."\n')
    monkeypatch.setenv("SKREDDER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKREDDER_SETTINGS", str(settings))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "leave.md").write_text(PAGE, encoding="utf-8")
    yield tmp_path
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, logging.FileHandler):
            root.removeHandler(handler)
            handler.close()


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_read_search_and_ask_from_the_command_line(folder: Path) -> None:
    assert "1 added" in _run("ingest", folder / "pages").stdout
    again = _run("ingest", folder / "pages", "--json")
    assert json.loads(again.stdout)[0]["unchanged"] == 1
    (found,) = json.loads(_run("search", "how many days of leave", "--json").stdout)
    assert (found["rank"], found["title"], found["heading"]) == (1, "Leave", "Annual leave")
    assert set(found) == {"rank", "score", "uri", "title", "heading", "text", "audience"}
    answer = json.loads(_run("ask", "How many days of annual leave?", "--json").stdout)
    assert set(answer) == {"question", "answer", "status", "sources", "model_version", "timings"}
    assert answer["status"] == "grounded"
    assert answer["model_version"] == "base"
    assert set(answer["sources"][0]) == {"n", "title", "uri", "heading", "updated_at"}


def test_pairs_are_imported_approved_answered_with_and_revoked(folder: Path) -> None:
    file = folder / "pairs.jsonl"
    row = {"input": "Where do I park?", "output": "Hei! In the yard. God tur!"}
    file.write_text(json.dumps(row) + '\n{"input": "x"}\n')
    report = json.loads(_run("pairs", "import", file, "--json").stdout)
    assert (report["added"], report["skipped"][0]["line"]) == (1, 2)
    assert json.loads(_run("pairs", "import", file, "--json").stdout)["known"] == 1
    (pair,) = json.loads(_run("pairs", "list", "--json").stdout)
    assert pair["state"] == "proposed"
    assert "approved" in _run("pairs", "approve", str(pair["id"])).stdout
    answer = json.loads(_run("ask", "Where can I park?", "--json").stdout)
    assert (answer["status"], answer["answer"]) == ("verified", row["output"])
    assert "1 pairs written" in _run("pairs", "export", folder / "out.csv").stdout
    assert "revoked" in _run("pairs", "revoke", str(pair["id"])).stdout
    assert json.loads(_run("ask", "Where can I park?", "--json").stdout)["status"] != "verified"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ingest", "/no/such/folder"], 1, "/no/such/folder"),
        (["pairs", "import", "/no/such/file.jsonl"], 1, "There is no file"),
        (["pairs", "approve", "99"], 1, "There is no pair 99"),
        (["ask", ""], 1, "no question"),
        (["ask", "🎉"], 1, "any words"),
        (["ask", "x" * 5000], 1, "I can read 4,000"),
        (["train", "run"], 1, "too early"),
        (["train", "rollback"], 1, "no predecessor"),
        (["serve"], 2, "SLACK_BOT_TOKEN must be set"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_wrong_use_gets_a_clear_sentence_and_an_exit_code(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    result = _run(*arguments)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_a_file_of_pairs_without_the_columns_is_refused(folder: Path) -> None:
    (folder / "pairs.csv").write_text("question,answer\nx,y\n")
    result = _run("pairs", "import", folder / "pairs.csv")
    assert result.exit_code == 1
    assert "lacks input and output" in " ".join(result.stderr.split())


def test_settings_without_a_goal_end_every_command_with_code_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "empty.toml").write_text("")
    monkeypatch.setenv("SKREDDER_SETTINGS", str(folder / "empty.toml"))
    result = _run("search", "leave")
    assert result.exit_code == 2
    assert "goal" in result.stderr


def test_two_processes_never_work_on_one_home(folder: Path) -> None:
    lock = Home(folder / "home").own()
    result = _run("search", "leave")
    lock.release()
    assert result.exit_code == 2
    assert "already runs" in " ".join(result.stderr.split())
