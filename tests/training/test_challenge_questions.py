from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from storage import pairs, runs, snapshots, versions
from storage.database import Database
from storage.pairs import NewPair, Pair, PairSource
from storage.versions import Version
from tests.training.retraining_stage import WORDS
from tests.training.samples import pair, row_maker
from training.challenge_questions import questions_for
from training.recipe import Recipe
from training.run_failures import RunImpossible
from training.snapshot import Snapshot, build_snapshot

FEWEST = 3


@pytest.fixture
def filled(database: Database) -> Database:
    with database.write() as session:
        versions.ensure_base(session)
        for number, word in enumerate(WORDS, start=1):
            new = NewPair(
                f"What is the yearly limit for {word}, topic {number}?",
                f"Hei! The limit is {100 + number} kroner a year.",
                "U1", "import", f"pair {number}",
                sources=(PairSource(f"handbook/{number}.md", "Limits"),),
            )  # fmt: skip
            pairs.approve(session, pairs.propose(session, new).id, "U2")
    return database


def measured(database: Database, folder: Path) -> tuple[Version, Snapshot]:
    """Leave a version that was measured on the pairs of today."""
    with database.read() as session:
        found = pairs.for_snapshot(session)
    made = build_snapshot(found, (), folder=folder, base="small", make=row_maker())
    with database.write() as session:
        record = snapshots.register(
            session, made.digest, prompt_version=made.prompt_version, seed=made.seed,
            train=made.pair_ids("train"), held_out=made.pair_ids("held_out"), replay_rows=0,
        )  # fmt: skip
        run = runs.propose(session, "1", "U1")
        run = runs.claim(session, run.id, "me", timedelta(minutes=1))
        runs.set_snapshot(session, run.id, run.attempt, record.id)
        version = versions.register(
            session, "v1", run_id=run.id, folder="/v1", manifest_sha256="0" * 64
        )
    return version, made


def asked(
    database: Database, version: Version, folder: Path, recipe: Recipe | None = None
) -> Snapshot:
    return questions_for(
        version, database, folder, make=row_maker(recipe), fewest=FEWEST, base="small"
    )


def base(database: Database) -> Version:
    with database.read() as session:
        return versions.by_name(session, "base")


def revoke_one_held_out(database: Database, made: Snapshot) -> int:
    pair_id = made.pair_ids("held_out")[0]
    with database.write() as session:
        pairs.revoke(session, pair_id, "U2")
    return pair_id


def test_a_tuned_champion_is_met_on_the_questions_that_it_was_measured_on(
    filled: Database, tmp_path: Path
) -> None:
    version, made = measured(filled, tmp_path)
    # Rendered today they would be others: the seed decides what is shown, and in what order.
    assert asked(filled, version, tmp_path, Recipe(seed=99)) == made


def test_a_pair_that_was_taken_back_is_asked_no_more(filled: Database, tmp_path: Path) -> None:
    version, made = measured(filled, tmp_path)
    gone = revoke_one_held_out(filled, made)
    found = asked(filled, version, tmp_path)
    assert found.digest == made.digest
    assert [row for row in made.held_out if row.pair_id != gone] == list(found.held_out)
    assert gone not in {row.pair_id for row in found.unanswerable}


@pytest.mark.parametrize("what", ["gone", "altered", "too few left"])
def test_a_snapshot_of_no_use_gives_way_to_the_pairs_of_today(
    filled: Database, tmp_path: Path, what: str
) -> None:
    version, made = measured(filled, tmp_path)
    if what == "gone":
        made.path.unlink()
    elif what == "altered":
        made.path.write_text(made.path.read_text().replace("kroner", "euros"))
    else:
        only = pairs_of(made, FEWEST - 1)
        made = build_snapshot(only, (), folder=tmp_path, base="small", make=row_maker())
        version = registered_again(filled, made)
    found = asked(filled, version, tmp_path, Recipe(seed=99))
    assert found.seed == 99
    assert len(found.held_out) >= FEWEST
    assert found.replay_rows == 0


def pairs_of(made: Snapshot, held_out: int) -> list[Pair]:
    """Return pairs like those of a snapshot, so many of them held out."""
    ids = made.pair_ids("held_out")[:held_out]
    learned = [pair(row.pair_id or 0) for row in made.train if row.kind == "pair"]
    return [pair(each, split="held_out") for each in ids] + learned


def registered_again(database: Database, made: Snapshot) -> Version:
    """Leave a second version that was measured on a snapshot."""
    with database.write() as session:
        record = snapshots.register(
            session, made.digest, prompt_version="2", seed=7, train=made.pair_ids("train"),
            held_out=made.pair_ids("held_out"), replay_rows=0,
        )  # fmt: skip
        first = runs.current(session)
        assert first is not None
        runs.set_snapshot(session, first.id, first.attempt, record.id)
        return versions.by_name(session, "v1")


def test_without_a_snapshot_the_pairs_of_today_are_frozen(filled: Database, tmp_path: Path) -> None:
    found = asked(filled, base(filled), tmp_path)
    with filled.read() as session:
        held_out = {pair.id for pair in pairs.for_snapshot(session) if pair.is_held_out}
    assert set(found.pair_ids("held_out")) == held_out
    assert found.path == tmp_path / f"{found.digest}.jsonl"
    assert found.path.exists()
    # The same pairs are the same rows, so that a challenge that was stopped goes on with them.
    assert asked(filled, base(filled), tmp_path).digest == found.digest


def test_too_few_held_out_pairs_prove_nothing(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        versions.ensure_base(session)
    with pytest.raises(RunImpossible, match="There are 0 held-out pairs, and fewer than 3"):
        asked(database, base(database), tmp_path)
