from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from storage import audit, runs
from storage.database import Database
from storage.runs import Run, RunLost, RunRefused

LEASE = timedelta(minutes=2)
EXPIRED = timedelta(seconds=-1)


@contextmanager
def refused(database: Database, reason: str) -> Iterator[None]:
    with pytest.raises(RunRefused, match=reason):
        yield


def propose(database: Database, period: str = "2026-11-23") -> Run:
    with database.write() as session:
        return runs.propose(session, period, "U1")


def claim(database: Database, run: Run, owner: str = "a", lease: timedelta = LEASE) -> Run:
    with database.write() as session:
        return runs.claim(session, run.id, owner, lease)


def finish(database: Database, run: Run, state: str = "failed") -> Run:
    with database.write() as session:
        return runs.finish(session, run.id, run.attempt, state, message="over")


def test_a_run_is_proposed_with_who_asked_for_it(database: Database) -> None:
    run = propose(database)
    assert (run.state, run.requested_by, run.is_open) == ("queued", "U1", True)
    with database.read() as session:
        assert runs.current(session) == run
        assert audit.latest(session)[0].action == "run.propose"


def test_there_is_never_a_second_open_run(database: Database) -> None:
    first = propose(database)
    with refused(database, f"Run {first.id} is queued"):
        propose(database, "2026-11-24")


def test_a_period_has_one_run_even_after_it_ended(database: Database) -> None:
    finish(database, claim(database, propose(database)))
    with refused(database, "There has been a run for '2026-11-23'"):
        propose(database)
    assert propose(database, "2026-11-24").is_open


def test_a_run_that_is_held_cannot_be_claimed_by_another(database: Database) -> None:
    run = propose(database)
    claim(database, run, "a")
    with pytest.raises(RunLost):
        claim(database, run, "b")


def test_an_expired_lease_lets_another_take_over_and_shuts_the_former_owner_out(
    database: Database,
) -> None:
    run = propose(database)
    former = claim(database, run, "a", EXPIRED)
    owner = claim(database, run, "b")
    assert owner.attempt == former.attempt + 1
    for write in (
        lambda session: runs.progress(session, run.id, former.attempt, step=1, steps=2),
        lambda session: runs.enter(session, run.id, former.attempt, "training"),
        lambda session: runs.renew(session, run.id, former.attempt, LEASE),
        lambda session: runs.finish(session, run.id, former.attempt, "passed", message=""),
    ):
        with pytest.raises(RunLost), database.write() as session:
            write(session)
    with database.read() as session:
        assert runs.get(session, run.id).state == "queued"


def test_progress_is_kept_and_shown(database: Database) -> None:
    run = claim(database, propose(database))
    with database.write() as session:
        runs.enter(session, run.id, run.attempt, "training", "Learning")
        runs.progress(
            session, run.id, run.attempt, step=3, steps=9, loss=1.5, tokens_per_second=200.0
        )
    with database.read() as session:
        found = runs.get(session, run.id)
    assert (found.state, found.step, found.steps, found.loss) == ("training", 3, 9, 1.5)
    assert found.message == "Learning"
    assert found.started_at is not None


def test_an_ended_run_frees_the_slot_and_takes_no_more_writes(database: Database) -> None:
    run = claim(database, propose(database))
    ended = finish(database, run, "refused")
    assert not ended.is_open
    assert ended.finished_at is not None
    with pytest.raises(RunLost), database.write() as session:
        runs.progress(session, run.id, run.attempt, step=1, steps=2)
    with pytest.raises(RunLost):
        claim(database, run)


def test_a_run_cannot_end_in_a_made_up_way(database: Database) -> None:
    run = claim(database, propose(database))
    with pytest.raises(ValueError, match="cannot end as 'promoted'"):
        finish(database, run, "promoted")


def test_a_queued_run_is_cancelled_at_once(database: Database) -> None:
    run = propose(database)
    with database.write() as session:
        ended = runs.cancel(session, run.id, "U2")
    assert ended.state == "cancelled"
    assert propose(database, "2026-11-24").is_open


def test_a_running_run_is_asked_to_end_and_hears_of_it_when_it_renews(database: Database) -> None:
    run = claim(database, propose(database))
    with database.write() as session:
        assert runs.cancel(session, run.id, "U2").is_open
        assert runs.renew(session, run.id, run.attempt, LEASE).cancelled_by == "U2"
    with refused(database, "no open run"), database.write() as session:
        finish_first = runs.finish(session, run.id, run.attempt, "cancelled", message="")
        runs.cancel(session, finish_first.id, "U2")


def test_a_restarted_installation_frees_what_its_former_process_held(database: Database) -> None:
    run = propose(database)
    claim(database, run, "killed")
    with database.write() as session:
        assert runs.release_all_but(session, "new") == 1
    assert claim(database, run, "new").owner == "new"


def test_an_owner_can_let_go(database: Database) -> None:
    run = claim(database, propose(database))
    with database.write() as session:
        runs.release(session, run.id, run.attempt)
    assert claim(database, run, "b").owner == "b"


def test_a_run_that_nobody_can_finish_is_abandoned_once(database: Database) -> None:
    run = claim(database, propose(database))
    with database.write() as session:
        assert runs.abandon(session, run.id, "Started too often.").state == "failed"
        assert runs.abandon(session, run.id, "Again.").message == "Started too often."


def test_a_run_that_does_not_exist_is_named(database: Database) -> None:
    with refused(database, "There is no run 77"), database.read() as session:
        runs.get(session, 77)


def test_a_paused_run_is_open_and_held_by_nobody_until_it_goes_on(database: Database) -> None:
    run = claim(database, propose(database))
    with database.write() as session:
        paused = runs.pause(session, run.id, run.attempt, "Paused: The disk is full.")
    assert (paused.is_open, paused.is_paused, paused.owner) == (True, True, None)
    with refused(database, f"Run {run.id} is paused"):
        propose(database, "2026-11-24")
    with database.write() as session:
        assert runs.resume(session, run.id, "U2").state == "queued"
        assert runs.resume(session, run.id, "U2").state == "queued"
        assert [e.action for e in audit.latest(session)[:2]] == ["run.resume", "run.pause"]
    assert claim(database, run, "b").attempt == run.attempt + 1


def test_a_run_that_had_begun_is_not_ended_behind_the_back_of_its_job(database: Database) -> None:
    run = claim(database, propose(database))
    with database.write() as session:
        runs.pause(session, run.id, run.attempt, "Paused.")
        runs.resume(session, run.id, "U1")
        cancelled = runs.cancel(session, run.id, "U2")
    assert cancelled.is_open  # whoever does the job clears its checkpoints away
    assert cancelled.cancelled_by == "U2"
