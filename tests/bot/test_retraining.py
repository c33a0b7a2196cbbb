"""What becomes of a version that has passed: nothing answers that was not measured against it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.canary import CanaryTrial
from bot.retraining import Retrainings
from storage import canaries, jobs, runs, versions
from storage.database import Database
from storage.jobs import Job


class _Parts:
    """Stands in for the training, the engines and the messages; SQL is real."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def follow(self) -> None:
        return

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
