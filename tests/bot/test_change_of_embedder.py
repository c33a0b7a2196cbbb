"""Changing the embedder in the settings, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

PAGES = {
    "leave": "# Leave\n\nEvery parent gets 18 weeks of fully paid parental leave.\n",
    "travel": "# Travel\n\nMeals are refunded up to 55 euros a day with the receipts.\n",
    "kantine": "# Kantine\n\nKaffen står ved vinduet. Vask opp etter deg når du har spist.\n",
}
QUESTION = "Hvor lang foreldrepermisjon får jeg?"


@pytest.fixture
def folder(installation: Path) -> Path:
    """Make an installation with three pages that are indexed."""
    for name, text in PAGES.items():
        (installation / "pages" / f"{name}.md").write_text(text, encoding="utf-8")
    assert _run("ingest", str(installation / "pages")).exit_code == 0
    return installation


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def _doctor() -> dict[str, dict[str, object]]:
    return {check["name"]: check for check in json.loads(_run("doctor", "--json").stdout)}


def _first(question: str) -> str:
    return str(json.loads(_run("search", question, "--json").stdout)[0]["title"])


def test_the_old_embedder_serves_until_reindex_has_made_the_new_vectors(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _first(QUESTION) == "Kantine"
    monkeypatch.setenv("SKREDDER_KNOWLEDGE__EMBEDDER", "multilingual")
    assert _first(QUESTION) == "Kantine"
    before = _doctor()["embedder"]
    assert before["is_sound"]
    assert "minilm-l6-v2 serves until the vectors of multilingual" in str(before["finding"])
    assert "3 passages" in _run("reindex").stdout
    checks = _doctor()
    assert checks["embedder"]["finding"] == "multilingual-e5-small-q4 serves, as the settings say"
    assert all(check["is_sound"] for check in checks.values())
    assert _first(QUESTION) == "Leave"


def test_an_embedder_that_is_not_there_is_named_and_the_old_one_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKREDDER_KNOWLEDGE__EMBEDDER", "/nowhere/model")
    assert _first("How many weeks of parental leave?") == "Leave"
    failed = _run("reindex")
    assert failed.exit_code == 1
    assert "There is no folder /nowhere/model" in failed.stderr
    assert _first("How many weeks of parental leave?") == "Leave"
