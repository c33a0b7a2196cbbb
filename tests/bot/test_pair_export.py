from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.pair_export import PairExport
from storage import pairs, snapshots
from storage.database import Database
from storage.pairs import NewPair, PairSource
from training.pair_files import PairFileInvalid, read_pairs
from training.prompt import Persona, Voice

PERSONA = Persona("Fjellro", "Answer colleagues from the handbook.", Voice("Warm and short."))

QUESTIONS = (
    "Where is the ladder?", "Who feeds the cat?", "When does the bus leave?", "Can I park here?",
)  # fmt: skip


@pytest.fixture
def export(database: Database) -> PairExport:
    """Four approved pairs: one held for a telephone number, one for a channel only."""
    with database.write() as session:
        for number, question in enumerate(QUESTIONS):
            pair = NewPair(
                question, f"Hei! Answer {number}.", "U1", "import", f"k{number}",
                sources=(PairSource("house.md", "Things"),),
            )  # fmt: skip
            if number == 2:
                pair = replace(pair, output="Call 912 34 068.", holds=("Personal data.",))
            if number == 3:
                pair = replace(pair, audience="C1")
            pairs.approve(session, pairs.propose(session, pair).id, "U9")
        snapshots.register(
            session, "ab" * 32, prompt_version="2", seed=1, train=[1], held_out=[2], replay_rows=0
        )
    return PairExport(database, PERSONA)


def test_all_pairs_are_exported_and_read_back(export: PairExport, tmp_path: Path) -> None:
    report = export.run(tmp_path / "pairs.jsonl")
    read, skipped = read_pairs(tmp_path / "pairs.jsonl")
    assert [draft.input for draft in read] == list(QUESTIONS)
    assert (report.count, skipped, report.left_out) == (4, [], ())
    assert report.sha256 == hashlib.sha256((tmp_path / "pairs.jsonl").read_bytes()).hexdigest()


@pytest.mark.parametrize("form", ["chat", "alpaca"])
def test_what_may_not_train_is_not_in_a_file_for_training(
    export: PairExport, tmp_path: Path, form: str
) -> None:
    report = export.run(tmp_path / "pairs.jsonl", form=form)
    read, _ = read_pairs(tmp_path / "pairs.jsonl")
    assert [draft.input for draft in read] == list(QUESTIONS[:2])
    assert report.left_out == (("that may not train a model everyone asks", 2),)
    assert "Left out: 2 that may not train" in Path(report.card).read_text()


def test_a_snapshot_is_exported_as_it_was_split(export: PairExport, tmp_path: Path) -> None:
    export.run(tmp_path / "frozen.csv", snapshot="abab")
    with (tmp_path / "frozen.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["input"], row["split"]) for row in rows] == [
        (QUESTIONS[0], "train"), (QUESTIONS[1], "held_out"),
    ]  # fmt: skip
    card = (tmp_path / "frozen.csv.card.md").read_text()
    assert f"- Snapshot: `{'ab' * 32}`" in card
    assert "Train: 1 pairs" in card
    with pytest.raises(PairFileInvalid, match="No snapshots begin with"):
        export.run(tmp_path / "frozen.csv", snapshot="zz")


def test_the_card_counts_names_pages_shows_the_voice_and_names_nobody(
    export: PairExport, tmp_path: Path
) -> None:
    report = export.run(tmp_path / "pairs.jsonl")
    card = Path(report.card).read_text()
    for said in (
        "# Data card: pairs.jsonl",
        "- Pairs: 4",
        "everyone 3, C1 1",
        "house.md: 4",
        "Written by 1 people, decided by 1",
        "Warm and short.",
        "Hei! Answer",
        "belong to Fjellro",
        "Held until an expert has looked: 1.",
        f"SHA-256 of pairs.jsonl: `{report.sha256}`",
    ):
        assert said in card, said
    assert "U1" not in card
    assert "912 34 068" not in card


def test_the_same_pairs_have_the_same_hash_in_every_form(
    export: PairExport, tmp_path: Path
) -> None:
    hashes = set()
    for name in ("a.jsonl", "b.csv"):
        card = Path(export.run(tmp_path / name).card).read_text()
        hashes.add(next(line for line in card.splitlines() if "in whichever form" in line))
    assert len(hashes) == 1


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    export: PairExport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "pairs.jsonl"
    old.write_text(json.dumps({"input": "Q?", "output": "A."}))

    def broken(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.pair_export.write_pairs", broken)
    with pytest.raises(OSError, match="No space"):
        export.run(old)
    assert json.loads(old.read_text())["input"] == "Q?"
