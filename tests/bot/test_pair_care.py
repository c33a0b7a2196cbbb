"""Erasing, withdrawing, clearing and importing threads, from the command line."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

EXPERT, ASKER = "U1", "U2"
QUESTION, ANSWER = "Where is the narwhal costume kept?", "Hei! In the blue cupboard by the stairs."


@pytest.fixture
def export(installation: Path) -> Path:
    """Make an export with one answered thread, and an expert who answered it."""
    settings = installation / "skredder.toml"
    settings.write_text(f'{settings.read_text()}\n[people]\nexperts = ["{EXPERT}"]\n')
    said = {"type": "message", "thread_ts": "1760000000.000100"}
    files = {
        "users.json": [
            {"id": EXPERT, "profile": {"real_name": "Eva Moe"}},
            {"id": ASKER, "profile": {"real_name": "Ann Lee"}},
        ],
        "channels.json": [{"id": "C1", "name": "people"}],
        "people/2025-10-09.json": [
            said | {"user": ASKER, "ts": "1760000000.000100", "text": QUESTION},
            said | {"user": EXPERT, "ts": "1760000009.000100", "text": ANSWER},
        ],
    }
    packed = installation / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return packed


def _run(*arguments: str | Path, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)


def test_threads_are_shown_first_then_proposed_then_withdrawn_and_their_people_erased(
    export: Path, installation: Path
) -> None:
    shown = _run("pairs", "import-slack", export, typed="n\n")
    assert "1 threads: 1 answered by somebody trusted" in shown.stdout
    assert f"Ann Lee: {QUESTION}" in shown.stdout
    assert shown.exit_code == 1
    assert json.loads(_run("pairs", "list", "--json").stdout) == []

    done = _run("pairs", "import-slack", export, typed="y\n")
    assert "1 proposed, 0 known already" in done.stdout
    (pair,) = json.loads(_run("pairs", "list", "--json").stdout)
    assert (pair["state"], pair["author"]) == ("proposed", EXPERT)
    again = json.loads(_run("pairs", "import-slack", export, "--json").stdout)
    assert (again["added"], again["known"]) == (0, 1)

    _run("pairs", "approve", str(pair["id"]))
    asked = json.loads(_run("ask", QUESTION, "--json").stdout)
    assert (asked["status"], asked["answer"]) == ("verified", ANSWER)
    refused = _run("pairs", "withdraw", "--author", EXPERT)
    assert (refused.exit_code, "Say why" in refused.stderr) == (1, True)
    reason = ("--reason", "She was wrong about cupboards.")
    withdrawn = _run("pairs", "withdraw", "--author", EXPERT, *reason)
    assert "1 approved and 0 waiting pairs withdrawn" in withdrawn.stdout
    assert "No model was trained on them." in withdrawn.stdout
    assert json.loads(_run("ask", QUESTION, "--json").stdout)["status"] != "verified"

    stopped = _run("erase", "--user", ASKER, typed="n\n")
    assert stopped.exit_code == 1
    erased = _run("erase", "--user", ASKER, "--yes")
    assert erased.exit_code == 0, erased.output
    assert "1 made from their questions erased" in erased.stdout
    assert "nothing of them is left" in erased.stdout
    report = Path(re.findall(r"The report: (\S+)", erased.stdout)[0])
    assert json.loads(report.read_text())["user"] == ASKER
    nobody = _run("erase", "--user", ASKER, "--yes")
    assert (nobody.exit_code, "Copy member ID" in nobody.stderr) == (1, True)


def test_a_pair_for_a_channel_is_cleared_with_a_reason(installation: Path) -> None:
    file = installation / "pairs.jsonl"
    row = {"input": "Where is the boat?", "output": "Hei! In the harbour.", "audience": "C9"}
    file.write_text(json.dumps(row))
    _run("pairs", "import", file, "--approve")
    (pair,) = json.loads(_run("pairs", "list", "--json").stdout)
    assert pair["audience"] == "C9"
    number = str(pair["id"])
    assert _run("pairs", "clear", number).exit_code == 2
    assert "for everyone" in _run("pairs", "clear", number, "--reason", "It is known.").stdout
    asked = json.loads(_run("ask", "Where is the boat?", "--json").stdout)
    assert asked["status"] == "verified"


def test_a_phone_number_is_masked_or_named_as_a_false_alarm_never_just_released(
    installation: Path,
) -> None:
    file = installation / "pairs.jsonl"
    row = {"input": "Who has the key to the boat?", "output": "Hei! Call Siv on 917 30 584 early."}
    file.write_text(json.dumps(row))
    dry = _run("pairs", "import", file, "--dry-run")
    assert "1 would be added, 0 known already, 0 refused." in dry.stdout
    assert "1 because of something personal or secret" in dry.stdout
    assert json.loads(_run("pairs", "list", "--json").stdout) == []
    imported = _run("pairs", "import", file, "--approve", "--looked-at", "I read it.")
    assert "1 of them are held" in imported.stdout
    assert "Something personal or secret is found in 1" in imported.stdout
    assert _run("pairs", "release", "1").exit_code == 2
    refused = _run("pairs", "release", "1", "--reason", "Everybody knows Siv.")
    assert (refused.exit_code, "--not-personal" in refused.stderr) == (1, True)
    named = _run("pairs", "release", "1", "--not-personal", "It is the desk's number.")
    assert "Pair 1 is released; 1 reasons held it." in named.stdout
