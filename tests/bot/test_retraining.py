"""What becomes of a version that has passed: nothing answers that was not measured against it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.canary import CanaryTrial
from bot.retraining import Retrainings, RetrainRefused
from storage import canaries, jobs, pairs, runs, snapshots, versions
from storage.canaries import Outcomes
from storage.database import Database
from storage.jobs import Job
from storage.pairs import NewPair
from storage.runs import Run
from storage.tables import JobRow, RunRow


class _Parts:
    """Stands in for the training, the engines and the messages; SQL is real."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.ended_trials = 0

    def paused(self, _run: object, why: str) -> str:
        return f"Paused: {why}"

    def follow(self) -> None:
        return

    def follow_soon(self) -> None:
        return

    def end_trial(self) -> None:
        self.ended_trials += 1

    end_trial_soon = end_trial

    def plot(self, _run: object) -> None:
        return None

    def report_text(self, _run: object) -> str:
        return "measured"

    def finished(self, text: str, _plot: object) -> None:
        self.told.append(text)


def _passed(database: Database, name: str) -> Job:
    """Leave a run that has passed, measured against what answers now, with its job."""
    with database.write() as session:
        serving = versions.ensure_base(session)
        run = runs.propose(session, name, "command line")
        run = runs.claim(session, run.id, "gone", timedelta(seconds=60))
        made = versions.register(
            session, name, run_id=run.id, folder=f"/{name}", manifest_sha256="0" * 64
        )
        versions.judge(session, made.id, "passed")
        report = {"revision": serving.revision}
        runs.finish(
            session, run.id, run.attempt, "passed",
            message="Passed.", version_id=made.id, report=report,
        )  # fmt: skip
        jobs.enqueue(session, "retrain", {"run_id": run.id}, key=f"retrain:{run.id}")
        job = jobs.claim(session, "me", timedelta(seconds=60))
    assert job is not None
    return job


def _paused(database: Database) -> Run:
    """Leave a run that waits to go on."""
    with database.write() as session:
        run = runs.propose(session, "day", "command line")
        run = runs.claim(session, run.id, "gone", timedelta(seconds=60))
        return runs.pause(session, run.id, run.attempt, "Paused: The disk is full.")


def _job(database: Database) -> Job | None:
    with database.write() as session:
        return jobs.claim(session, "me", timedelta(seconds=60), ["retrain"])


def _retrainings(database: Database, parts: Any, trial: CanaryTrial | None = None) -> Retrainings:
    return Retrainings(
        database=database, training=parts, champion=parts, enough_pairs=1, retrain_every=1,
        owner="me", trial=trial,
    )  # fmt: skip


def _serving(database: Database) -> str:
    with database.read() as session:
        return versions.serving(session).version.name


def test_a_version_does_not_follow_one_that_it_was_never_measured_against(
    database: Database,
) -> None:
    parts: Any = _Parts()
    first, second = _passed(database, "v1"), _passed(database, "v2")
    retrainings = _retrainings(database, parts)
    retrainings.run(first, parts)
    assert _serving(database) == "v1"
    retrainings.run(second, parts)
    assert _serving(database) == "v1"
    assert "v2 does not answer: another version has begun to" in parts.told[-1]


@pytest.mark.parametrize("again", ["the same job once more", "another run"])
def test_while_a_version_is_on_trial_nothing_is_promoted_past_it(
    database: Database, again: str
) -> None:
    parts: Any = _Parts()
    retrainings = _retrainings(database, parts, CanaryTrial(database, 0.1))
    first = _passed(database, "v1")
    retrainings.run(first, parts)
    retrainings.run(first if again == "the same job once more" else _passed(database, "v2"), parts)
    assert _serving(database) == "base"
    with database.read() as session:
        on_trial = canaries.running(session)
    assert on_trial is not None
    assert on_trial.version.name == "v1"
    assert "tried on some threads first" in parts.told[-1]


def test_who_asks_for_a_run_while_one_is_paused_gets_that_one_gone_on_with(
    database: Database,
) -> None:
    parts: Any = _Parts()
    run = _paused(database)
    retrainings = _retrainings(database, parts)
    assert retrainings.request("U1", "anything").id == run.id
    job = _job(database)
    assert job is not None
    assert job.payload["run_id"] == run.id
    with database.read() as session:
        assert runs.get(session, run.id).state == "queued"
    assert _job(database) is None, "it was queued twice"


def test_the_schedule_goes_on_with_a_paused_run_and_a_new_pair_does_not(
    database: Database,
) -> None:
    parts: Any = _Parts()
    run = _paused(database)
    retrainings = _retrainings(database, parts)
    with database.write() as session:
        jobs.enqueue(session, "consider_retraining", {"pair_id": 1})
        approved = jobs.claim(session, "me", timedelta(seconds=60), ["consider_retraining"])
    assert approved is not None
    retrainings.consider(approved)
    assert _job(database) is None
    assert retrainings.look("2026-11-24")
    job = _job(database)
    assert job is not None
    assert job.payload["run_id"] == run.id
    assert not retrainings.look("2026-11-25"), "it goes on already"


def test_a_run_whose_job_failed_too_often_waits_instead_of_losing_what_it_learned(
    database: Database,
) -> None:
    parts: Any = _Parts()
    with database.write() as session:
        run = runs.propose(session, "day", "command line")
        runs.enqueue(session, run)
    job = _job(database)
    assert job is not None
    _retrainings(database, parts).give_up(job, "E-1")
    with database.read() as session:
        now = runs.get(session, run.id)
    assert now.is_paused
    assert "(E-1)" in now.message


def test_a_paused_run_is_not_begun_by_a_job_that_is_done_again(database: Database) -> None:
    parts: Any = _Parts()
    with database.write() as session:
        runs.enqueue(session, runs.propose(session, "day", "command line"))
    job = _job(database)
    assert job is not None
    retrainings = _retrainings(database, parts)
    retrainings.give_up(job, "E-1")
    retrainings.run(job, parts)  # `_Parts` cannot train: it would fail here
    assert "paused" in parts.told[-1]


def _taught(database: Database, job: Job, *authors: str) -> None:
    """Let a run have learned from corrections of these people."""
    with database.write() as session:
        made = [
            pairs.propose(
                session,
                NewPair(
                    input=f"How much is {author}?",
                    output=f"{author} is 103 kroner.",
                    author=author,
                    origin="slack" if author.isupper() else "import",
                    origin_key=author,
                ),
            ).id
            for author in authors
        ]
        record = snapshots.register(
            session, "made up", prompt_version="1", seed=1, train=made, held_out=[], replay_rows=0
        )
        session.execute(
            update(RunRow).where(RunRow.id == job.payload["run_id"]).values(snapshot_id=record.id)
        )


def _owed(database: Database) -> list[str]:
    with database.read() as session:
        rows = session.scalars(select(JobRow).where(JobRow.kind == "tell_lesson"))
        return sorted(str(row.payload["author"]) for row in rows)


@pytest.mark.parametrize("how", ["by itself", "by an admin", "after a trial"])
def test_experts_are_told_once_what_was_learned_however_the_version_came_to_answer(
    database: Database, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: Any = _Parts()
    job = _passed(database, "v1")
    _taught(database, job, "U1", "U2", "somebody in a file")
    trial = CanaryTrial(database, 0.5) if how == "after a trial" else None
    retrainings = _retrainings(database, parts, trial)
    if how == "by an admin":
        retrainings.promote("U9", "v1", "")
    else:
        retrainings.run(job, parts)
    if trial is not None:
        assert _owed(database) == []
        seen = Outcomes((True,) * 200, (False,) * 200)
        monkeypatch.setattr(canaries, "outcomes", lambda *_arguments: seen)
        assert retrainings.look_at_trial() == "promoted"
    assert _serving(database) == "v1"
    assert _owed(database) == ["U1", "U2"]
    retrainings.roll_back("U9", "to see that it works")
    retrainings.promote("U9", "v1", "")
    assert _owed(database) == ["U1", "U2"]


@pytest.mark.parametrize("what", ["promote", "roll_back"])
def test_whoever_changes_the_champion_ends_the_trial_at_once(database: Database, what: str) -> None:
    parts: Any = _Parts()
    retrainings = _retrainings(database, parts)
    retrainings.run(_passed(database, "v1"), parts)
    trial = CanaryTrial(database, 0.5)
    retrainings = _retrainings(database, parts, trial)
    retrainings.run(_passed(database, "v2"), parts)
    assert retrainings.trial() is not None
    if what == "promote":
        retrainings.promote("U9", "v2", "no time for a trial")
    else:
        retrainings.roll_back("U9", "both are bad")
    assert retrainings.trial() is None
    assert parts.ended_trials == 1


def test_without_a_trial_there_is_none_to_end(database: Database) -> None:
    parts: Any = _Parts()
    with pytest.raises(RetrainRefused, match="No version is on trial"):
        _retrainings(database, parts, CanaryTrial(database, 0.5)).withdraw("U9", "why not")
