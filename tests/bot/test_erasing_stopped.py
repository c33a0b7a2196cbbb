from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bot.erasing import _STAGES, Erasing, ErasureReport, NobodyToErase
from bot.erasing_pending import PendingErasures
from storage import audit, questions
from storage.database import Database, DatabaseUnusable
from tests.bot.erasing_stage import (
    BOSS,
    EVA,
    Office,
    files_with_marks,
    opened_office,
    rows_with_marks,
)

LAST = len(_STAGES)


class Killed(Exception):
    """What stops an erasure half-way."""


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    with opened_office(database, tmp_path) as opened:
        yield opened


def _erase(office: Office, *, is_dry: bool = False) -> ErasureReport:
    # In a new process nothing is remembered but what lies in the home.
    again = Erasing(office.database, office.home, office.learning.reconcile)
    return again.run(EVA, BOSS, is_dry=is_dry)


def _stop_at(office: Office, stage: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(told: dict[str, Any]) -> None:
        if told["done"] == stage:
            raise Killed

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if stage == LAST:  # the report is written, and no more
            patch.setattr(PendingErasures, "forget", kill)
        with pytest.raises(Killed):
            office.erasing.run(EVA, BOSS, is_dry=False, on_progress=stop)


def _comparable(report: ErasureReport, root: Path) -> dict[str, Any]:
    plain = asdict(replace(report, stands_for="", at="", unfinished_since=None))
    text = json.dumps(plain, default=str).replace(str(root), "")
    known: dict[str, Any] = json.loads(text)
    for snapshot in known["uses"]["snapshots"]:
        del snapshot["created_at"]
    return known


@pytest.mark.parametrize("stage", range(1, LAST + 1))
def test_an_erasure_stopped_at_any_stage_is_finished_by_the_next(
    stage: int, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_at(office, stage, monkeypatch)
    (pending,) = office.erasing.pending.all()
    report = _erase(office)
    assert report.is_gone
    assert report.stands_for == pending.stands_for
    assert report.unfinished_since == pending.begun_at
    assert rows_with_marks(office.database) == []
    if office.database.is_sqlite:
        assert files_with_marks(tmp_path) == []
    assert office.erasing.pending.files() == []
    kept = json.loads(office.erasing.report_file(report.stands_for).read_text())
    assert (kept["questions"], kept["pairs"], kept["asked_pairs"], kept["left"]) == (1, 1, 1, {})
    with office.database.read() as session:
        assert [r.subject for r in audit.history(session, ("person.erase",))] == [report.stands_for]
        assert audit.first_broken(session) is None
    with pytest.raises(NobodyToErase):
        _erase(office)


@pytest.mark.parametrize("stage", [3, 5, LAST])
def test_its_report_says_what_that_of_an_undisturbed_one_would(
    stage: int, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not office.database.is_sqlite:
        pytest.skip("there is one PostgreSQL database, and this needs two")
    other = Database(f"sqlite:///{tmp_path / 'undisturbed' / 'skredder.db'}")
    other.migrate()
    with opened_office(other, tmp_path / "undisturbed") as undisturbed:
        wanted = _comparable(_erase(undisturbed), tmp_path / "undisturbed")
    other.close()
    _stop_at(office, stage, monkeypatch)
    assert _comparable(_erase(office), tmp_path) == wanted


def test_what_she_wrote_since_it_was_stopped_goes_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_at(office, 4, monkeypatch)
    with office.database.write() as session:
        questions.record(
            session, team_id="T1", channel="C1", ts="1", thread_ts="1", user_id=EVA,
            place="mention", text="Does a quokka bite the hand that feeds it?",
        )  # fmt: skip
    report = _erase(office)
    assert (report.is_gone, report.questions) == (True, 2)
    assert rows_with_marks(office.database) == []


def test_only_the_owner_can_read_what_an_unfinished_erasure_must_know(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_at(office, 2, monkeypatch)
    (file,) = office.erasing.pending.files()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_dry_run_says_that_one_is_unfinished_and_does_not_finish_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_at(office, 3, monkeypatch)
    (pending,) = office.erasing.pending.all()
    report = _erase(office, is_dry=True)
    assert (report.unfinished_since, report.questions, report.pairs) == (pending.begun_at, 1, 1)
    assert office.erasing.pending.all() == (pending,)
    assert rows_with_marks(office.database) != []


def test_an_erasure_that_leaves_something_is_not_finished(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Database) -> None:
        raise DatabaseUnusable("Others read the file all the time. Stop the bot and try again.")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "scrub", busy)
        assert not _erase(office).is_gone
    report = _erase(office)
    assert (report.is_gone, report.pairs) == (True, 1)
    assert office.erasing.pending.all() == ()


def test_two_unfinished_erasures_with_the_same_words_do_not_wait_for_each_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_at(office, 2, monkeypatch)
    (hers,) = office.erasing.pending.files()
    office.ask("U0KARI", "My Øyvind has broken his leg in Hemsedal, says Eva.", "dm", "D2", "Hei!")
    report = office.erasing.run("U0KARI", BOSS, is_dry=False)
    assert list(report.left) == [str(hers)]
    assert office.erasing.pending.files() == [hers]
    assert _erase(office).is_gone
    assert office.erasing.pending.files() == []
