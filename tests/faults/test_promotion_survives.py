"""`kill -9` around a promotion: one champion, one promotion, and a version that is whole."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from storage import audit, jobs, runs, versions
from tests.faults.stage import Stage
from training.base_model import BaseModel
from training.manifest import write_manifest


@pytest.fixture
def passed_run(stage: Stage, base_model: BaseModel) -> int:
    """Leave a run that has passed the gate and whose job is still to be done."""
    folder = stage.home / "training" / "versions" / "v1"
    folder.mkdir(parents=True)
    assert base_model.gguf is not None
    shutil.copy(base_model.gguf, folder / "model.gguf")
    manifest = write_manifest(folder, {"run": 1})
    with stage.database.write() as session:
        versions.ensure_base(session)
        run = runs.propose(session, "test", "command line")
        run = runs.claim(session, run.id, "gone", timedelta(seconds=60))
        version = versions.register(
            session, "v1", run_id=run.id, folder=str(folder), manifest_sha256=manifest
        )
        versions.judge(session, version.id, "passed")
        runs.finish(
            session, run.id, run.attempt, "passed", message="Passed.", version_id=version.id
        )
        jobs.enqueue(session, "retrain", {"run_id": run.id}, key=f"retrain:{run.id}")
    return run.id


@pytest.mark.parametrize("point", ["promotion.before", "promotion.after"])
def test_a_version_is_promoted_once_although_the_bot_is_killed(
    stage: Stage, passed_run: int, point: str
) -> None:
    dying = stage.start(fail_at=point, wait=False)
    stage.until_killed(dying)
    with stage.database.read() as session:
        before = versions.serving(session).version.name
    assert before == ("base" if point == "promotion.before" else "v1")
    stage.start()

    def is_promoted() -> bool:
        with stage.database.read() as session:
            return runs.get(session, passed_run).state == "promoted"

    stage.wait_until(is_promoted, "the promotion")
    stage.settle()
    with stage.database.read() as session:
        assert versions.serving(session).version.name == "v1"
        assert len(versions.promotions(session)) == 1
        assert audit.first_broken(session) is None
    reply = stage.workspace.person("Sindre").slash("/retrain status").text
    assert "v1" in reply


def test_a_version_whose_file_was_damaged_is_not_served_and_the_one_before_answers(
    stage: Stage, passed_run: int
) -> None:
    weights = stage.home / "training" / "versions" / "v1" / "model.gguf"
    with weights.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    stage.start()
    stage.wait_until(lambda: "ready version=base" in stage.log(), "the base to be loaded", 60)
    assert "is damaged" in stage.log()
