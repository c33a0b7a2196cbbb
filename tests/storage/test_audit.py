"""Every change is explained by a record, and no record can be altered or taken out unseen."""

from __future__ import annotations

from sqlalchemy import select, update

from storage import audit
from storage.database import Database
from storage.tables import AuditRow


def _record(database: Database, *subjects: str) -> None:
    with database.write() as session:
        for subject in subjects:
            audit.record(session, "U1", "pair.approve", subject, {"was": "proposed"})


def test_many_records_of_one_transaction_and_of_the_next_are_one_chain(database: Database) -> None:
    _record(database, "pair 1", "pair 2", "pair 3")
    _record(database, "pair 4", "pair 5")
    with database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.id)).all()
        assert [row.subject for row in rows] == [f"pair {n}" for n in range(1, 6)]
        assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
        assert audit.first_broken(session) is None


def test_a_record_that_was_altered_is_named(database: Database) -> None:
    _record(database, "pair 1", "pair 2", "pair 3")
    with database.write() as session:
        session.execute(update(AuditRow).where(AuditRow.id == 2).values(actor="U2"))
    with database.read() as session:
        assert audit.first_broken(session) == 2


def test_the_chain_holds_when_a_savepoint_with_records_is_taken_back(database: Database) -> None:
    with database.write() as session:
        audit.record(session, "U1", "pair.approve", "pair 1")
        nested = session.begin_nested()
        audit.record(session, "U1", "pair.approve", "pair 2")
        audit.record(session, "U1", "pair.approve", "pair 3")
        nested.rollback()
        audit.record(session, "U1", "pair.approve", "pair 4")
        with session.begin_nested():
            audit.record(session, "U1", "pair.approve", "pair 5")
        audit.record(session, "U1", "pair.approve", "pair 6")
    with database.read() as session:
        assert audit.first_broken(session) is None
        assert [each.subject for each in audit.latest(session)] == [
            "pair 6",
            "pair 5",
            "pair 4",
            "pair 1",
        ]


def test_a_session_used_again_sees_what_others_recorded_in_between(database: Database) -> None:
    with database.write() as session:
        audit.record(session, "U1", "pair.approve", "pair 1")
    _record(database, "pair 2")
    with session, session.begin():
        audit.record(session, "U1", "pair.approve", "pair 3")
    with database.read() as session:
        assert audit.first_broken(session) is None


def test_what_is_sealed_anew_and_recorded_in_one_transaction_is_one_chain(
    database: Database,
) -> None:
    with database.write() as session:
        audit.record(session, "U1", "pair.revoke", "pair 1", {"reason": "Kari wrote it"})
        audit.record(session, "U1", "pair.revoke", "pair 2", {"reason": "old"})
        forget = {"Kari wrote it": "erased"}
        assert (
            audit.reseal(session, lambda details: {k: forget.get(v, v) for k, v in details.items()})
            == 1
        )
        audit.record(session, "U1", "person.erase", "U7")
    with database.read() as session:
        assert audit.first_broken(session) is None
        assert audit.latest(session)[-1].details == {"reason": "erased"}
