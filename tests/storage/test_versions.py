from __future__ import annotations

import contextlib
import threading

import pytest

from storage import audit, runs, versions
from storage.database import Database
from storage.versions import PromotionRefused, Serving, Version


def version(database: Database, number: int, gate: str = "passed") -> Version:
    with database.write() as session:
        versions.ensure_base(session)
        run = runs.propose(session, f"period {number}", "U1")
        runs.abandon(session, run.id, "")
        made = versions.register(
            session, f"v{number}", run_id=run.id, folder=f"/v{number}", manifest_sha256="0" * 64
        )
        if gate == "candidate":
            return made
        return versions.judge(session, made.id, "passed" if gate == "passed" else "refused")


def serving(database: Database) -> Serving:
    with database.read() as session:
        return versions.serving(session)


def promote(database: Database, made: Version, revision: int) -> Serving:
    with database.write() as session:
        return versions.promote(
            session, made.id, expected_revision=revision, actor="U1", reason="better"
        )


def test_the_base_answers_first(database: Database) -> None:
    with database.write() as session:
        first = versions.ensure_base(session)
        assert versions.ensure_base(session) == first
    assert first.version.is_base
    assert first.version.may_answer
    assert (first.revision, first.previous) == (0, None)


def test_a_passed_version_is_promoted_and_its_run_says_so(database: Database) -> None:
    made = version(database, 1)
    now = promote(database, made, 0)
    assert (now.version.name, now.revision) == ("v1", 1)
    assert now.previous is not None
    assert now.previous.is_base
    with database.read() as session:
        assert made.run_id is not None
        assert runs.get(session, made.run_id).state == "promoted"
        assert audit.latest(session)[0].action == "version.promote"
        assert versions.promotions(session)[0].previous == "base"


@pytest.mark.parametrize("gate", ["candidate", "refused"])
def test_no_version_answers_before_its_gate_was_passed(database: Database, gate: str) -> None:
    made = version(database, 1, gate)
    with pytest.raises(PromotionRefused, match=f"the gate says {gate}"):
        promote(database, made, 0)
    assert serving(database).version.is_base


def test_an_admin_overrides_the_gate_only_with_a_written_reason(database: Database) -> None:
    made = version(database, 1, "refused")
    with pytest.raises(PromotionRefused, match="write down why"), database.write() as session:
        versions.promote(
            session, made.id, expected_revision=0, actor="U1", reason=" ", kind="override"
        )
    with database.write() as session:
        now = versions.promote(
            session, made.id, expected_revision=0, actor="U1", reason="a demo", kind="override"
        )
    assert now.version.gate == "overridden"
    with database.read() as session:
        record = audit.latest(session)[0]
        assert (record.action, record.details["reason"]) == ("version.override", "a demo")
        assert versions.promotions(session)[0].kind == "override"


def test_of_two_promotions_that_saw_the_same_champion_one_is_refused(database: Database) -> None:
    first, second = version(database, 1), version(database, 2)
    promote(database, first, 0)
    with pytest.raises(PromotionRefused, match="it is v1 now"):
        promote(database, second, 0)
    assert serving(database).version.name == "v1"
    with database.read() as session:
        assert len(versions.promotions(session)) == 1


def test_of_many_promotions_at_once_exactly_one_wins(database: Database) -> None:
    made = [version(database, number) for number in range(1, 7)]
    won: list[str] = []

    def try_it(one: Version) -> None:
        with contextlib.suppress(PromotionRefused):
            won.append(promote(database, one, 0).version.name)

    threads = [threading.Thread(target=try_it, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert serving(database).version.name == won[0]
    assert serving(database).revision == 1


def test_a_rollback_goes_back_step_by_step_to_the_base(database: Database) -> None:
    promote(database, version(database, 1), 0)
    promote(database, version(database, 2), 1)
    names = []
    for _ in range(2):
        with database.write() as session:
            names.append(versions.rollback(session, "U1", "worse").version.name)
    assert names == ["v1", "base"]
    with pytest.raises(PromotionRefused, match="no predecessor"), database.write() as session:
        versions.rollback(session, "U1", "worse")
    with database.read() as session:
        kinds = [promotion.kind for promotion in versions.promotions(session)]
    assert kinds == ["rollback", "rollback", "promote", "promote"]


def test_a_version_may_come_back_after_a_rollback(database: Database) -> None:
    made = version(database, 1)
    promote(database, made, 0)
    with database.write() as session:
        versions.rollback(session, "U1", "worse")
    assert promote(database, made, 2).version.name == "v1"


def test_the_version_that_answers_cannot_be_promoted_again(database: Database) -> None:
    made = version(database, 1)
    promote(database, made, 0)
    with pytest.raises(PromotionRefused, match="answers already"):
        promote(database, made, 1)


def test_a_run_makes_one_version_and_its_gate_is_decided_once(database: Database) -> None:
    made = version(database, 1, "refused")
    assert made.run_id is not None
    with database.write() as session:
        again = versions.register(
            session, "v1", run_id=made.run_id, folder="/v1", manifest_sha256="0" * 64
        )
        assert again == made
        assert versions.judge(session, made.id, "passed").gate == "refused"
    with database.read() as session:
        assert [found.name for found in versions.listed(session)] == ["v1", "base"]


def test_a_version_that_does_not_exist_is_named(database: Database) -> None:
    with pytest.raises(PromotionRefused, match="no version 'v9'"), database.read() as session:
        versions.by_name(session, "v9")
