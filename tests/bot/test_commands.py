from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.home import Home
from storage import pair_trials
from storage.database import Database
from storage.pair_trials import Score

PAGE = """---
title: Leave
---
# Leave

## Annual leave

Everyone gets 27 days of paid annual leave each year. Book it in Timely 14 days ahead.
"""


@pytest.fixture
def folder(installation: Path) -> Path:
    """Make an installation with one page, and let commands work on it."""
    (installation / "pages" / "leave.md").write_text(PAGE, encoding="utf-8")
    return installation


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


def test_sources_are_listed_synced_and_removed(folder: Path) -> None:
    _run("ingest", folder / "pages")
    (folder / "pages" / "travel.md").write_text("# Travel\n\nTrains come first, then planes.")
    (synced,) = json.loads(_run("sources", "sync", "--json").stdout)
    assert (synced["added"], synced["unchanged"]) == (1, 1)
    (source,) = json.loads(_run("sources", "list", "--json").stdout)
    assert (source["documents"], source["audience"]) == (2, "everyone")
    assert source["report"]["added"] == 1
    assert "are gone" in _run("sources", "remove", source["location"]).stdout
    assert json.loads(_run("search", "trains or planes", "--json").stdout) == []
    again = _run("sources", "remove", source["location"])
    assert again.exit_code == 1
    assert "There is no source" in again.stderr


def test_a_sync_goes_on_with_the_other_sources_when_one_is_missing(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "travel.md").write_text("# Travel\n\nTrains come first, then planes.")
    _run("ingest", folder / "pages", folder / "more")
    (folder / "pages" / "leave.md").unlink()
    (folder / "pages").rmdir()
    synced = _run("sources", "sync", "--json")
    assert synced.exit_code == 1
    missing, there = json.loads(synced.stdout)
    assert "There is no folder" in missing["error"]
    assert there["unchanged"] == 1


def test_the_doctor_finds_what_is_lost_and_puts_it_back(folder: Path) -> None:
    _run("ingest", folder / "pages")
    healthy = _run("doctor", "--json")
    assert healthy.exit_code == 0
    assert all(check["is_sound"] for check in json.loads(healthy.stdout))
    shutil.rmtree(folder / "home" / "index")
    # Each start repairs by itself, so the doctor finds everything well again.
    assert _run("doctor").exit_code == 0
    assert json.loads(_run("search", "days of leave", "--json").stdout)
    assert "1 passages are indexed" in _run("reindex").stdout
    assert json.loads(_run("search", "days of leave", "--json").stdout)


def test_the_doctor_says_when_the_audit_log_was_altered(folder: Path) -> None:
    file = folder / "pairs.jsonl"
    file.write_text(json.dumps({"input": "Where do I park?", "output": "Hei! In the yard."}))
    _run("pairs", "import", file)
    with sqlite3.connect(folder / "home" / "skredder.db") as connection:
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE id = 1")
    connection.close()
    checked = _run("doctor")
    assert checked.exit_code == 1
    assert "✗ audit log: record 1 was altered" in checked.stdout


def test_the_doctor_says_which_pairs_were_changed_behind_the_audit_log_s_back(
    folder: Path,
) -> None:
    file = folder / "pairs.jsonl"
    file.write_text(json.dumps({"input": "Where do I park?", "output": "Hei! In the yard."}))
    _run("pairs", "import", file)
    assert "✓ pairs: every count is that of the audit log" in _run("doctor").stdout
    with sqlite3.connect(folder / "home" / "skredder.db") as connection:
        connection.execute("UPDATE pairs SET state = 'approved'")
    connection.close()
    checked = _run("doctor")
    assert checked.exit_code == 1
    assert "✗ pairs: counted otherwise than by the audit log: by state: " in checked.stdout


def test_the_status_of_training_shows_how_each_version_did_on_what_was_new_to_it(
    folder: Path,
) -> None:
    assert "bettered" not in _run("train", "status").stdout
    file = folder / "pairs.jsonl"
    file.write_text(json.dumps({"input": "Where do I park?", "output": "Hei! In the yard."}))
    _run("pairs", "import", file)
    database = Database(f"sqlite:///{folder / 'home' / 'skredder.db'}")
    with database.write() as session:
        pair_trials.record(session, 1, Score("v3", "grounded", 0.5, agrees=True))
    database.close()
    refused = _run("train", "status", "--plot", folder / "scores.png")
    assert refused.exit_code == 1
    assert "1 of the 5 scores that a plot needs" in " ".join(refused.stderr.split())
    shown = _run("train", "status").stdout
    assert "Answers that experts bettered, and how many of them said the same:" in shown
    assert re.search(r"v3 +\S+ to \S+ +1 +100%  \(21% to 100%\)", shown)


def test_the_doctor_says_which_erasure_has_stopped_half_way_and_how_to_finish_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "pairs.jsonl"
    pair = {"input": "Where do I park?", "output": "Hei! In the yard.", "author": "Kari Moe"}
    file.write_text(json.dumps(pair))
    _run("pairs", "import", file)
    with monkeypatch.context() as patch:
        patch.setattr("storage.erasure.sweep", lambda *_: 1 / 0)
        assert _run("erase", "--user", "Kari Moe", "--yes").exit_code == 1
    checked = _run("doctor")
    assert checked.exit_code == 1
    assert "finish it with `skredder erase --user 'Kari Moe'`" in checked.stdout
    dry = _run("erase", "--user", "Kari Moe", "--dry-run")
    assert "has not come to its end. Without --dry-run it is finished." in dry.stdout
    finished = _run("erase", "--user", "Kari Moe", "--yes")
    assert "It was gone on with." in finished.stdout
    assert "0 questions, 1 pairs by them" in finished.stdout
    assert _run("doctor").exit_code == 0


def test_questions_that_found_nothing_are_gaps_by_topic(folder: Path) -> None:
    _run("ingest", folder / "pages")
    for question in (
        "Where can I charge my electric car?",
        "Is there a charger for electric cars?",
        "Who is the dentist of the company?",
    ):
        assert json.loads(_run("ask", question, "--json").stdout)["status"] == "abstained"
    _run("ask", "How many days of annual leave?")
    gaps = json.loads(_run("gaps", "--json").stdout)
    assert [gap["times"] for gap in gaps] == [2, 1]
    assert "electric car" in gaps[0]["topic"]


def test_an_answer_whose_page_changed_is_listed_for_review_and_confirmed(folder: Path) -> None:
    _run("ingest", folder / "pages")
    file = folder / "pairs.jsonl"
    file.write_text(json.dumps({"input": "How much leave is there?", "output": "27 days."}))
    _run("pairs", "import", file, "--approve")
    with sqlite3.connect(folder / "home" / "skredder.db") as connection:
        connection.execute(
            "INSERT INTO pair_sources (pair_id, uri, heading) VALUES (1, 'leave.md', ?)",
            ("Annual leave",),
        )
    connection.close()
    assert json.loads(_run("pairs", "list", "--state", "review", "--json").stdout) == []
    page = folder / "pages" / "leave.md"
    page.write_text(page.read_text().replace("27", "29"))
    _run("ingest", folder / "pages")
    (pair,) = json.loads(_run("pairs", "list", "--state", "review", "--json").stdout)
    assert "approved" in _run("pairs", "confirm", str(pair["id"])).stdout
    assert json.loads(_run("pairs", "list", "--state", "review", "--json").stdout) == []
    assert _run("pairs", "confirm", str(pair["id"])).exit_code == 1
