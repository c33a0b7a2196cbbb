"""What the checks find keeps a pair from training; it is answered with all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.corrections import Corrections
from bot.pair_audience import ASKED_IN_PRIVATE
from bot.pair_checks import PairChecks
from bot.pair_import import PairImport
from bot.permissions import Permissions
from bot.settings import People
from storage import answers, audit, pair_watch, pairs, questions
from storage.answers import AnswerSource, NewAnswer
from storage.database import Database
from storage.tables import Table
from training.prompt import Voice

EXPERT, ASKER = "U0EXPERT", "U0ASKER"
SHARE = 0.0  # everything trains
PHONE = "Hei! Call Siv on 917 30 584 before nine."


@pytest.fixture
def corrections(database: Database) -> Corrections:
    checks = PairChecks(database, voice=Voice(), find_text=lambda *_: None)
    permissions = Permissions(People(experts=(EXPERT,)))
    return Corrections(database, permissions, SHARE, checks.examine)


def _answer(database: Database, *audiences: str, place: str = "mention", user: str = ASKER) -> int:
    """Store a question with an answer that rests on passages for these audiences."""
    with database.write() as session:
        question = questions.record(
            session, team_id="T1", channel="D1" if place == "dm" else "C1", ts="1", thread_ts="1",
            user_id=user, place=place, text="Who has the key to the boat?",
        )  # fmt: skip
        assert question is not None
        sources = tuple(
            AnswerSource(n, "p", "a.md", "A", "A", "The page.", audience, None, cited=False)
            for n, audience in enumerate(audiences, start=1)
        )
        return answers.record(
            session, NewAnswer(question, "grounded", "Nobody.", "base", sources)
        ).id


def _correct(corrections: Corrections, answer: int, text: str) -> int:
    return corrections.correct(
        answer_id=answer, text=text, reason="wrong", user_id=EXPERT, key="k"
    ).id


def _trains(database: Database) -> list[int]:
    with database.read() as session:
        return [pair.id for pair in pairs.for_snapshot(session)]


def test_an_expert_s_correction_with_a_phone_number_answers_and_does_not_train(
    database: Database, corrections: Corrections
) -> None:
    number = _correct(corrections, _answer(database, "everyone"), PHONE)
    with database.read() as session:
        pair = pairs.get(session, number)
        found = pairs.approved_answer(session, "Who has the key to the boat?", {"everyone"})
    assert pair.state == "approved"
    assert "phone number" in pair.holds[0]
    assert found == pair
    assert _trains(database) == []


def test_a_correction_with_nothing_in_it_trains(
    database: Database, corrections: Corrections
) -> None:
    number = _correct(corrections, _answer(database, "everyone"), "Hei! Siv at the desk has it.")
    assert _trains(database) == [number]


def test_an_expert_vouches_for_the_quality_of_their_own_words_and_others_do_not(
    database: Database, corrections: Corrections
) -> None:
    answer = _answer(database, "everyone")
    number = _correct(corrections, answer, "Hei!")
    assert _trains(database) == [number]
    with database.read() as session:
        (flag,) = pair_watch.reasons_ever(session, number)
    assert "too short" in flag
    other = corrections.correct(
        answer_id=answer, text="Hei!", reason="wrong", user_id=ASKER, key="k2"
    )
    assert (other.state, other.holds) == ("proposed", (flag,))


def test_rude_words_are_looked_at_whoever_wrote_them(
    database: Database, corrections: Corrections
) -> None:
    _correct(corrections, _answer(database, "everyone"), "Hei! Ask Siv, that idiot at the desk.")
    assert _trains(database) == []


def test_a_correction_in_narrow_company_is_for_nobody_until_it_is_cleared(
    database: Database, corrections: Corrections
) -> None:
    answer = _answer(database, "C-board", "everyone", "C-legal")
    number = _correct(corrections, answer, "Hei! Siv at the desk has it.")
    with database.read() as session:
        pair = pairs.get(session, number)
    assert pair.audience == "nobody"
    assert "C-board and C-legal" in pair.holds[0]


@pytest.mark.parametrize(("asker", "is_held"), [(ASKER, True), (EXPERT, False)])
def test_what_a_colleague_asked_in_a_direct_message_is_looked_at_first(
    database: Database, corrections: Corrections, asker: str, is_held: bool
) -> None:
    answer = _answer(database, "everyone", place="dm", user=asker)
    _correct(corrections, answer, "Hei! Siv at the desk has it.")
    assert (_trains(database) == []) is is_held


def test_a_better_wording_does_not_make_a_private_question_public(
    database: Database, corrections: Corrections
) -> None:
    answer = _answer(database, "everyone", place="dm")
    proposed = corrections.correct(
        answer_id=answer, text="Hei! Siv has it.", reason="wrong", user_id="U0OTHER", key="k"
    )
    better = corrections.edit(
        pair_id=proposed.id, text="Hei! Siv at the desk has it.", reason="", user_id=EXPERT, key="e"
    )
    assert better.holds == (ASKED_IN_PRIVATE,)
    assert _trains(database) == []


def test_a_follow_up_is_kept_with_what_it_is_about(
    database: Database, corrections: Corrections
) -> None:
    with database.write() as session:
        for ts, text in enumerate(("How many days of leave do I get?", "And for part-timers?")):
            question = questions.record(
                session, team_id="T1", channel="C1", ts=str(ts), thread_ts="0", user_id=ASKER,
                place="mention", text=text,
            )  # fmt: skip
            assert question is not None
            answer = answers.record(session, NewAnswer(question, "grounded", "Ten.", "base", ()))
    number = _correct(corrections, answer.id, "Hei! You get as many days as you work.")
    with database.read() as session:
        kept = pairs.get(session, number).input
        assert pairs.approved_answer(session, "And for part-timers?", {"everyone"}) is None
    assert kept == "How many days of leave do I get? And for part-timers?"


def test_whoever_looked_at_a_file_has_not_decided_what_contradicts(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    importing = PairImport(database, corrections)
    for days in (25, 31):
        output = f"Hei! You get {days} days of leave."
        file.write_text(json.dumps({"input": "How many days of leave do I get?", "output": output}))
        importing.run(file, actor="command line", approve=True, looked_at="I read them all.")
    with database.read() as session:
        assert pairs.get(session, 2).holds == ("It contradicts pair 1: 25 or 31",)
    assert _trains(database) == []


def test_rows_of_a_file_are_checked_and_the_report_counts_those_held(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    rows = [
        {"input": "Who has the key to the boat?", "output": PHONE},
        {"input": "Where does the cat sleep?", "output": "Hei! On the stairs to the attic."},
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    report = PairImport(database, corrections).run(file, actor="command line", approve=True)
    assert (report.added, report.held) == (2, 1)
    again = PairImport(database, corrections).run(file, actor="command line", approve=True)
    assert (again.added, again.held) == (0, 0)
    assert len(_trains(database)) == 1


SHORT = "Hei! Siv."


def test_pairs_that_somebody_has_looked_at_are_imported_without_a_hold(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps({"input": "Who has the key to the boat?", "output": SHORT}))
    report = PairImport(database, corrections).run(
        file, actor="command line", approve=True, looked_at="Siv is right."
    )
    assert (report.added, report.held) == (1, 0)
    assert _trains(database) == [1]
    with database.read() as session:
        assert len(pair_watch.reasons_ever(session, 1)) == 1


def test_a_phone_number_does_not_train_whoever_has_looked_at_the_file(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps({"input": "Who has the key to the boat?", "output": PHONE}))
    report = PairImport(database, corrections).run(
        file, actor="command line", approve=True, looked_at="I read them all."
    )
    assert (report.added, report.held, report.personal) == (1, 1, (1,))
    assert _trains(database) == []


def test_a_phone_number_that_is_nobody_s_trains_and_the_audit_says_who_said_so_and_why(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps({"input": "Who has the key to the boat?", "output": PHONE}))
    report = PairImport(database, corrections).run(
        file, actor="command line", approve=True, not_personal="Siv's number is the desk's."
    )
    assert (report.added, report.held, report.personal) == (1, 0, ())
    assert _trains(database) == [1]
    with database.read() as session:
        assert len(pair_watch.reasons_ever(session, 1)) == 1
        (said,) = audit.history(session, ("pair.not_personal",))
    assert said.actor == "command line"
    assert said.details == {"found": ["phone number"], "reason": "Siv's number is the desk's."}


def _all_rows(database: Database) -> dict[str, list[str]]:
    with database.read() as session:
        return {
            table.name: sorted(str(row) for row in session.execute(table.select()))
            for table in Table.metadata.sorted_tables
        }


def test_a_dry_run_of_a_file_tells_what_would_become_of_it_and_writes_nothing(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    known = {"input": "How many days of leave do I get?", "output": "Hei! You get 25 days."}
    file.write_text(json.dumps(known))
    importing = PairImport(database, corrections)
    importing.run(file, actor="command line", approve=True)
    rows = [
        known,
        {"input": "Who has the key to the boat?", "output": PHONE},
        {"input": "How many days of leave do I get?", "output": "Hei! You get 31 days of leave."},
        {"input": "Where does the cat sleep?", "output": "Hei! On the stairs to the attic."},
        {"input": "Where does the cat sleep?", "output": "Hei! On the stairs to the attic."},
        {"input": "", "output": "Hei!"},
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    before = _all_rows(database)
    found, refused = importing.preview(file, actor="command line")
    assert _all_rows(database) == before
    assert (found.added, found.known, found.held, found.personal) == (3, 2, 2, 1)
    assert [row.line for row in refused] == [6]
    phone, leave = found.shown
    assert "phone number" in phone.reasons[0]
    assert leave.reasons == ("It contradicts pair 1: 25 or 31",)
    done = importing.run(file, actor="command line", approve=False)
    assert (done.added, done.known, done.held) == (found.added, found.known, found.held)


def test_a_dry_run_knows_what_the_importer_vouches_for(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [
        {"input": "Who has the key to the boat?", "output": PHONE},
        {"input": "Who mends the boat?", "output": SHORT},
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    importing = PairImport(database, corrections)
    for vouched, held in (
        ({}, 2),
        ({"looked_at": "I read it."}, 1),
        ({"not_personal": "It is the desk's."}, 1),
        ({"looked_at": "I read it.", "not_personal": "It is the desk's."}, 0),
    ):
        found, _ = importing.preview(file, actor="command line", **vouched)
        assert found.held == held
