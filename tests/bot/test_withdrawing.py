from __future__ import annotations

import pytest

from bot.withdrawing import NothingToWithdraw, Withdrawing
from storage import audit, jobs, pairs, runs, snapshots, versions
from storage.database import Database
from storage.pairs import NewPair

QUESTIONS = ("Where is the ladder?", "Who feeds the cat?", "When does the bus leave?")


class Woken:
    """Counts how often the workers were woken."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def withdrawing(database: Database, woken: Woken) -> Withdrawing:
    """Mallory has an approved pair that v1 was trained on, and a waiting one; Bo has one."""
    with database.write() as session:
        for author, question in zip(("UMAL", "UMAL", "UBO"), QUESTIONS, strict=True):
            pairs.propose(session, NewPair(question, "Hei! So.", author, "slack", question))
        pairs.approve(session, 1, "U9")
        pairs.approve(session, 3, "U9")
        frozen = snapshots.register(
            session, "a" * 64, prompt_version="2", seed=1, train=[1, 3], held_out=[], replay_rows=0
        )
        run = runs.propose(session, "2026-11", "schedule")
        claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
        runs.set_snapshot(session, run.id, claimed.attempt, frozen.id)
        runs.finish(session, run.id, claimed.attempt, "passed", message="ok")
        versions.register(session, "v1", run_id=run.id, folder="v1", manifest_sha256="0")
    return Withdrawing(database, woken)


def test_all_pairs_of_an_author_are_withdrawn_in_one_step(
    database: Database, withdrawing: Withdrawing, woken: Woken
) -> None:
    report = withdrawing.run("UMAL", "UBOSS", "The account was taken over.")
    assert (report.revoked, report.rejected) == (1, 1)
    with database.read() as session:
        stored = pairs.by_ids(session, [1, 2, 3])
        assert [pair.state for pair in stored] == ["revoked", "rejected", "approved"]
        assert stored[0].decision_reason == "The account was taken over."
        assert audit.latest(session)[0].action == "pairs.withdraw"
    with database.write() as session:
        job = jobs.claim(session, "w", runs.timedelta(60), ["unlearn_pair"])
    assert job is not None
    assert job.payload == {"pair_id": 1}
    assert woken.times == 1


def test_the_runs_and_versions_that_used_them_are_listed(withdrawing: Withdrawing) -> None:
    report = withdrawing.run("UMAL", "UBOSS", "Taken over.")
    assert [run.id for run in report.uses.runs] == [1]
    assert [version.name for version in report.uses.versions] == ["v1"]
    assert report.plan.is_needed
    again = withdrawing.run("UMAL", "UBOSS", "Taken over.")
    assert (again.revoked, again.rejected) == (0, 0)
    assert [version.name for version in again.uses.versions] == ["v1"]


def test_a_run_under_way_on_them_is_stopped(database: Database, withdrawing: Withdrawing) -> None:
    with database.write() as session:
        run = runs.propose(session, "2026-12", "schedule")
        claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
        runs.set_snapshot(session, run.id, claimed.attempt, 1)
    withdrawing.run("UMAL", "UBOSS", "Taken over.")
    with database.read() as session:
        assert runs.get(session, run.id).cancelled_by == "UBOSS"


def test_a_run_that_has_read_pairs_and_not_said_which_is_stopped_too(
    database: Database, withdrawing: Withdrawing
) -> None:
    with database.write() as session:
        run = runs.propose(session, "2026-12", "schedule")
        claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
        runs.enter(session, run.id, claimed.attempt, "preparing")
    withdrawing.run("UMAL", "UBOSS", "The account was taken over.")
    with database.read() as session:
        assert runs.get(session, run.id).cancelled_by == "UBOSS"


def test_a_dry_run_changes_nothing(
    database: Database, withdrawing: Withdrawing, woken: Woken
) -> None:
    report = withdrawing.run("UMAL", "UBOSS", "", is_dry=True)
    assert (report.revoked, report.rejected) == (1, 1)
    with database.read() as session:
        assert pairs.get(session, 1).state == "approved"
    assert woken.times == 0


def test_without_a_reason_or_a_pair_nothing_is_withdrawn(withdrawing: Withdrawing) -> None:
    with pytest.raises(NothingToWithdraw, match="Say why"):
        withdrawing.run("UMAL", "UBOSS", " ")
    with pytest.raises(NothingToWithdraw, match="no pair by 'UNOBODY'"):
        withdrawing.run("UNOBODY", "UBOSS", "why")
