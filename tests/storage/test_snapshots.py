from __future__ import annotations

from sqlalchemy import update

from storage import pairs, runs, snapshots
from storage.database import Database
from storage.pairs import NewPair
from storage.runs import CHALLENGE
from storage.snapshots import SnapshotRecord
from storage.tables import RunRow

QUESTIONS = ["How long is lunch?", "Where do bikes go?", "Who mends laptops?", "When is payday?"]


def four_pairs(database: Database) -> list[int]:
    with database.write() as session:
        return [
            pairs.propose(session, NewPair(text, "Hei!", "U1", "import", f"key {n}")).id
            for n, text in enumerate(QUESTIONS)
        ]


def register(database: Database, ids: list[int], digest: str = "a" * 64) -> SnapshotRecord:
    with database.write() as session:
        return snapshots.register(
            session,
            digest,
            prompt_version="1",
            seed=7,
            train=ids[1:],
            held_out=ids[:1],
            replay_rows=2,
        )


def end_run(database: Database, snapshot: SnapshotRecord, period: str, state: str) -> None:
    with database.write() as session:
        run = runs.propose(session, period, "U1")
        runs.set_snapshot(session, run.id, run.attempt, snapshot.id)
        runs.finish(session, run.id, run.attempt, state, message="")


def test_a_snapshot_is_kept_with_its_pairs_on_their_sides(database: Database) -> None:
    ids = four_pairs(database)
    record = register(database, ids)
    assert (record.train_pairs, record.held_out_pairs, record.replay_rows) == (3, 1, 2)
    with database.read() as session:
        assert snapshots.get(session, record.id) == record
        assert snapshots.pair_ids(session, record.id, "train") == tuple(ids[1:])
        assert snapshots.pair_ids(session, record.id, "held_out") == tuple(ids[:1])


def test_the_same_digest_is_the_same_snapshot(database: Database) -> None:
    ids = four_pairs(database)
    assert register(database, ids) == register(database, ids)


def test_only_a_measured_run_uses_pairs_up(database: Database) -> None:
    ids = four_pairs(database)
    early, late = register(database, ids[:3]), register(database, ids, "b" * 64)
    with database.read() as session:
        assert snapshots.pairs_in_last(session) == frozenset()
    end_run(database, early, "1", "refused")
    end_run(database, late, "2", "failed")
    with database.read() as session:
        assert snapshots.pairs_in_last(session) == frozenset(ids[:3])
    end_run(database, late, "3", "passed")
    with database.read() as session:
        assert snapshots.pairs_in_last(session) == frozenset(ids)


def test_another_base_that_challenged_uses_pairs_up_only_if_it_answers(database: Database) -> None:
    ids = four_pairs(database)
    early, late = register(database, ids[:3]), register(database, ids, "b" * 64)
    end_run(database, early, "1", "passed")
    end_run(database, late, f"{CHALLENGE}org/other:1", "passed")
    with database.read() as session:
        assert snapshots.pairs_in_last(session) == frozenset(ids[:3])
    with database.write() as session:  # as letting its version answer does
        session.execute(update(RunRow).where(RunRow.id == 2).values(state="promoted"))
    with database.read() as session:
        assert snapshots.pairs_in_last(session) == frozenset(ids)
