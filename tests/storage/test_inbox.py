from __future__ import annotations

from storage import inbox, questions
from storage.database import Database


def _question(database: Database, ts: str = "1.0") -> int | None:
    with database.write() as session:
        return questions.record(
            session,
            team_id="T1",
            channel="C1",
            ts=ts,
            thread_ts="1.0",
            user_id="U1",
            place="mention",
            text="How many days of leave?",
        )


def test_a_redelivered_event_is_accepted_once(database: Database) -> None:
    with database.write() as session:
        first = inbox.accept(session, "Ev1", "event", "T1", {"event_id": "Ev1"})
    with database.write() as session:
        again = inbox.accept(session, "Ev1", "event", "T1", {"event_id": "Ev1"})
    assert first is not None
    assert again is None
    with database.read() as session:
        assert inbox.payload_of(session, first) == {"event_id": "Ev1"}


def test_one_message_under_two_event_ids_is_one_question(database: Database) -> None:
    assert _question(database) is not None
    assert _question(database) is None


def test_the_bot_remembers_the_threads_it_was_asked_in(database: Database) -> None:
    _question(database)
    with database.read() as session:
        assert questions.is_our_thread(session, "T1", "C1", "1.0")
        assert not questions.is_our_thread(session, "T1", "C2", "1.0")


def test_earlier_questions_of_a_thread_come_oldest_first(database: Database) -> None:
    ids = [_question(database, f"{n}.0") for n in range(1, 6)]
    with database.read() as session:
        last = questions.get(session, ids[-1] or 0)
        earlier = questions.earlier_in_thread(session, last, limit=3)
    assert [question.ts for question in earlier] == ["2.0", "3.0", "4.0"]
