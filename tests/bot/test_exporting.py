from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.exporting import Exporting
from bot.settings import Settings
from storage import audit, bases, runs, versions
from storage.database import Database
from storage.versions import BaseIdentity
from tests.training.evaluation.test_report import report
from training.base_model import BaseModel
from training.exporting import ExportRefused
from training.manifest import write_manifest

GOAL = "Answer colleagues about the handbook, in our voice."


@pytest.fixture
def exporting(database: Database, tmp_path: Path) -> Exporting:
    folder = tmp_path / "v1"
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_config.json").write_text('{"r": 2}')
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
    digest = write_manifest(folder, {"run": 1})
    with database.write() as session:
        versions.ensure_base(session)
        run = runs.claim(
            session, runs.propose(session, "1", "U1").id, "test", timedelta(seconds=60)
        )
        made = versions.register(
            session, "v1", run_id=run.id, folder=str(folder), manifest_sha256=digest
        )
        versions.judge(session, made.id, "passed")
        runs.finish(
            session,
            run.id,
            run.attempt,
            "passed",
            message="",
            version_id=made.id,
            report={
                "report": report().to_json(),
                "gate": {"passed": True, "reasons": ["answer F1 is better by +30.0 points"]},
                "revision": 0,
            },
        )
    base = BaseModel("smollm2-135m-instruct", tmp_path, None)
    return Exporting(database, Settings(goal=GOAL), base)


def test_the_card_says_what_the_version_is_for_and_what_it_reached(
    exporting: Exporting, tmp_path: Path
) -> None:
    made = exporting.export("v1", "adapter", tmp_path / "out", "U1")
    card = (made / "README.md").read_text()
    assert f"**Goal.** {GOAL}" in card
    assert "Base model: smollm2-135m-instruct" in card
    assert "| answer F1 |" in card
    assert "answer F1 is better by +30.0 points" in card


def test_giving_a_version_out_is_in_the_audit(
    exporting: Exporting, database: Database, tmp_path: Path
) -> None:
    exporting.export("v1", "adapter", tmp_path / "out", "U1")
    with database.read() as session:
        latest = audit.latest(session)[0]
    assert (latest.action, latest.actor, latest.details["form"]) == (
        "version.export",
        "U1",
        "adapter",
    )


def test_a_version_is_not_exported_with_another_base_model(
    exporting: Exporting, database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        made = versions.by_name(session, "v1")
        bases.write_down(session, BaseIdentity("bundled", "smol", "a" * 64), [made.id])
    other = replace(exporting, base=replace(exporting.base, name="qwen", sha256="b" * 64))
    with pytest.raises(ExportRefused, match="v1 belongs to the base model smol"):
        other.export("v1", "adapter", tmp_path / "out", "U1")


def test_the_base_is_not_ours_to_export(exporting: Exporting, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="nothing of yours"):
        exporting.export("base", "adapter", tmp_path / "out", "U1")
