"""A version that nobody needs may be given up; its lineage stays, and nothing needed ever goes."""

from __future__ import annotations

import threading

import pytest

from storage import audit, canaries, retiring, runs, versions
from storage.database import Database
from storage.retiring import RetireRefused
from storage.versions import PromotionRefused, Version
from tests.storage.test_versions import promote, serving, version


def retire(database: Database, name: str, reason: str = "too old") -> Version:
    with database.write() as session:
        return retiring.retire(session, name, actor="U1", reason=reason)


def too_many(database: Database, kept: int) -> list[str]:
    with database.read() as session:
        return [found.name for found in retiring.beyond(session, kept)]


def test_a_retired_version_keeps_its_lineage_and_the_audit_says_why(database: Database) -> None:
    made = version(database, 1)
    gone = retire(database, "v1", "superseded")
    assert (gone.is_retired, gone.may_answer, gone.standing) == (True, False, "retired")
    assert (gone.run_id, gone.folder, gone.gate) == (made.run_id, "/v1", "passed")
    with database.read() as session:
        assert made.run_id is not None
        runs.get(session, made.run_id)
        record = audit.latest(session)[0]
        assert [found.name for found in versions.listed(session)] == ["v1", "base"]
        assert [found.name for found in retiring.retired(session)] == ["v1"]
    assert (record.action, record.subject, record.actor) == ("version.retire", "version v1", "U1")
    assert record.details["reason"] == "superseded"


def test_what_answers_what_a_rollback_goes_back_to_and_the_base_stay(database: Database) -> None:
    promote(database, version(database, 1), 0)
    promote(database, version(database, 2), 1)
    for name, why in (("v2", "answers now"), ("v1", "rollback"), ("base", "falls back on")):
        with pytest.raises(RetireRefused, match=why):
            retire(database, name)
    assert serving(database).version.name == "v2"


def test_a_version_on_trial_stays_until_the_trial_has_ended(database: Database) -> None:
    made = version(database, 1)
    with database.write() as session:
        canary = canaries.begin(session, made.id, 0.5, "U1")
    with pytest.raises(RetireRefused, match="trial that goes on"):
        retire(database, "v1")
    with database.write() as session:
        canaries.end(session, canary, "withdrawn", "enough")
    assert retire(database, "v1").is_retired


def test_a_version_is_retired_once_and_with_a_written_reason(database: Database) -> None:
    version(database, 1)
    with pytest.raises(RetireRefused, match="Say why"):
        retire(database, "v1", " ")
    retire(database, "v1")
    with pytest.raises(RetireRefused, match="retired before"):
        retire(database, "v1")
    with pytest.raises(PromotionRefused, match="no version 'v9'"):
        retire(database, "v9")


@pytest.mark.parametrize("kind", ["promote", "override"])
def test_a_retired_version_never_answers_again(database: Database, kind: str) -> None:
    made = version(database, 1)
    retire(database, "v1")
    with pytest.raises(PromotionRefused, match="was retired"), database.write() as session:
        versions.promote(
            session,
            made.id,
            expected_revision=0,
            actor="U1",
            reason="all the same",
            kind="promote" if kind == "promote" else "override",
        )
    with pytest.raises(canaries.CanaryRefused, match="retired"), database.write() as session:
        canaries.begin(session, made.id, 0.5, "U1")
    with pytest.raises(PromotionRefused, match="was retired"), database.read() as session:
        versions.kept_by_name(session, "v1")
    assert serving(database).version.is_base


def test_a_rollback_passes_over_what_was_retired(database: Database) -> None:
    for number in (1, 2, 3):
        promote(database, version(database, number), number - 1)
    retire(database, "v1")
    with database.write() as session:
        assert versions.rollback(session, "U1", "worse").version.name == "v2"
    previous = serving(database).previous
    assert previous is not None
    assert previous.is_base


def test_a_version_that_is_promoted_while_it_is_retired_is_one_of_both(database: Database) -> None:
    """Whoever comes second is refused, on either kind of database."""
    for number in range(1, 9):
        made, done = version(database, number), []
        revision = serving(database).revision

        def promoting(made: Version = made, revision: int = revision, done: list = done) -> None:  # type: ignore[type-arg]
            try:
                promote(database, made, revision)
                done.append("promoted")
            except PromotionRefused:
                pass

        def retiring_it(made: Version = made, done: list = done) -> None:  # type: ignore[type-arg]
            try:
                retire(database, made.name)
                done.append("retired")
            except RetireRefused:
                pass

        threads = [threading.Thread(target=each) for each in (promoting, retiring_it)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 1
        assert not serving(database).version.is_retired


def test_the_oldest_versions_are_too_many_but_never_one_that_is_needed(database: Database) -> None:
    made = [version(database, number) for number in range(1, 7)]
    promote(database, made[0], 0)
    assert too_many(database, 6) == []
    assert too_many(database, 4) == ["v2", "v3"]
    promote(database, made[2], 1)
    assert too_many(database, 4) == ["v2", "v4"]
    with database.write() as session:
        canaries.begin(session, made[3].id, 0.5, "U1")
    assert too_many(database, 1) == ["v2", "v5"]
    retire(database, "v2")
    assert too_many(database, 4) == ["v5"]
