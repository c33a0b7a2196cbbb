from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.home import find_home
from storage import runs, versions
from storage.database import Database
from training.evaluation.ways import WaysReport

TOPICS = (
    "anchors bridges candles drums engines feathers gloves hammers islands jackets kettles "
    "ladders mirrors needles oranges pencils"
).split()


@pytest.fixture
def folder(installation: Path) -> Path:
    """Make an installation with a page and a pair on each topic, and let commands work on it."""
    with (installation / "skredder.toml").open("a") as settings:
        settings.write("[model]\nmax_new_tokens = 24\n")
    for number, topic in enumerate(TOPICS):
        (installation / "pages" / f"{topic}.md").write_text(
            f"# {topic.title()}\n\n## Limits\n\nThe limit for {topic} is {100 + number} kroner.\n"
        )
    return installation


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _fill(folder: Path) -> None:
    rows = [
        {
            "input": f"What may I spend on {topic}?",
            "output": f"Hei! You may spend {100 + number} kroner on {topic}. God tur!",
            "context": f"{topic}.md#Limits",
        }
        for number, topic in enumerate(TOPICS)
    ]
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert _run("ingest", folder / "pages").exit_code == 0
    assert _run("pairs", "import", folder / "pairs.jsonl", "--approve").exit_code == 0


@pytest.mark.slow
def test_the_ablation_asks_held_out_questions_in_each_way(folder: Path) -> None:
    _fill(folder)
    result = _run("evaluate", "--ablation", "--limit", "2", "--out", folder / "out")
    assert result.exit_code == 0, result.output
    assert "2 held-out pairs" in result.stdout
    written = json.loads((folder / "out" / "evaluation.json").read_text())
    report = WaysReport.from_json(written)
    names = ["base", "base + retrieval", "base + retrieval + examples"]
    assert [scores.way.name for scores in report.scores] == names
    for scores in report.scores:
        parts = [scores.measures[name].mean for name in ("right", "abstained", "wrong")]
        assert sum(parts) == pytest.approx(1.0)
        assert scores.measures["seconds"].mean > 0
    # An approved pair is found by its own question; here none of them may be.
    for asked in report.answers:
        assert asked.wanted not in asked.said.values()
    with_sources = report.scores[1].measures["right_source"]
    assert with_sources.count == 2 - round(2 * report.scores[1].measures["abstained"].mean)
    assert "| base + retrieval |" in (folder / "out" / "evaluation.md").read_text()
    card = (folder / "out" / "model-card.md").read_text()
    assert "Answer colleagues from the handbook, warmly." in card
    assert (folder / "out" / "evaluation.png").read_bytes().startswith(b"\x89PNG")
    status = json.loads(_run("train", "status", "--json").stdout)
    assert status["serving"].startswith("base,")


@pytest.mark.slow
def test_a_version_is_measured_on_pairs_kept_for_it(folder: Path) -> None:
    _fill(folder)
    found = json.loads(_run("evaluate", "--limit", "2", "--json").stdout)
    assert found["kind"] == "version"
    report = found["report"]
    assert report["held_out"] == 2
    assert report["challenger"]["version"] == "base"
    assert report["challenger"]["measures"]["probes"]["count"] > 50
    assert report["retrieved"] == 1.0
    # What the base said is kept: asked again, it is only read.
    again = json.loads(_run("evaluate", "--limit", "2", "--json").stdout)
    assert again == found


def test_a_file_of_questions_is_asked_through_the_product(folder: Path) -> None:
    assert _run("ingest", folder / "pages").exit_code == 0
    rows = [
        {"question": "What is the limit for kettles?", "pages": ["kettles.md"], "facts": ["110"]},
        {"question": "Who feeds the office cat in December?", "pages": []},
    ]
    (folder / "questions.json").write_text(json.dumps(rows))
    found = json.loads(_run("evaluate", "--questions", folder / "questions.json", "--json").stdout)
    report = WaysReport.from_json(found["report"])
    (scores,) = report.scores
    assert (scores.way.name, scores.questions, report.unanswerable) == ("base + retrieval", 2, 1)
    assert scores.measures["voice"].count == 0
    kettles, cat = report.answers
    assert cat.verdicts == {"base + retrieval": "right"}
    assert "I don't know" in cat.said["base + retrieval"]
    assert "110" in kettles.said["base + retrieval"]
    assert kettles.verdicts == {"base + retrieval": "right"}
    assert any("The voice is not measured" in note for note in report.notes)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 1, "no held-out pairs"),
        (["--ablation"], 1, "no held-out pairs"),
        (["--version", "v9"], 1, "no version 'v9'"),
        (["--questions", "/no/such/file.json"], 1, "cannot be read"),
        (["--ablation", "--against", "base"], 2, "--against names a second version"),
    ],
)
def test_an_evaluation_that_is_impossible_says_what_is_missing(
    folder: Path, arguments: list[str], code: int, said: str
) -> None:
    result = _run("evaluate", *arguments)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_a_version_whose_files_are_gone_is_not_measured(folder: Path) -> None:
    assert _run("ingest", folder / "pages").exit_code == 0
    database = Database(f"sqlite:///{find_home().database}")
    with database.write() as session:
        gone = str(folder / "gone")
        run = runs.propose(session, "1", "U1")
        made = versions.register(
            session, "v1", run_id=run.id, folder=gone, manifest_sha256="0" * 64
        )
        versions.judge(session, made.id, "passed")
    database.close()
    (folder / "questions.json").write_text('[{"question": "Where?", "pages": ["kettles.md"]}]')
    result = _run("evaluate", "--version", "v1", "--questions", folder / "questions.json")
    assert result.exit_code == 1
    assert "v1 cannot be measured" in " ".join(result.stderr.split())
