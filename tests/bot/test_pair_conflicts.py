"""Corrections that contradict what is approved, and the approvals that a channel asks for."""

from __future__ import annotations

import pytest

from bot.corrections import Corrections
from bot.pair_checks import Findings
from bot.permissions import Permissions
from bot.prequential import curve
from bot.settings import People
from storage import answers, pair_conflicts, pair_trials, pairs, questions
from storage.answers import NewAnswer
from storage.database import Database
from storage.pairs import NewPair, Pair

EXPERT, OTHER, COLLEAGUE = "U0EXPERT", "U0OTHER", "U0COLL"


@pytest.fixture
def corrections(database: Database) -> Corrections:
    permissions = Permissions(People(experts=(EXPERT, OTHER)))
    return Corrections(database, permissions, 0.0, two_experts=("C0LEGAL",))


def answered(database: Database, channel: str = "C1", ts: str = "1", said: str = "No idea.") -> int:
    with database.write() as session:
        question = questions.record(
            session, team_id="T1", channel=channel, ts=ts, thread_ts=ts, user_id=COLLEAGUE,
            place="mention", text="How long is parental leave?",
        )  # fmt: skip
        assert question is not None
        return answers.record(session, NewAnswer(question, "grounded", said, "v3")).id


def correct(
    corrections: Corrections, answer: int, text: str, user: str = EXPERT, key: str = "k"
) -> Pair:
    return corrections.correct(answer_id=answer, text=text, reason="wrong", user_id=user, key=key)


def trains(database: Database) -> list[str]:
    with database.read() as session:
        return [pair.output for pair in pairs.for_snapshot(session)]


def test_a_correction_that_contradicts_an_approved_pair_waits_for_a_decision(
    database: Database, corrections: Corrections
) -> None:
    correct(corrections, answered(database), "Hei! 49 weeks.")
    newer = correct(corrections, answered(database, ts="2"), "Hei! 52 weeks.", OTHER, "k2")
    assert newer.state == "approved"  # it is answered with at once
    assert newer.holds == ("It contradicts pair 1: 49 or 52",)
    assert trains(database) == []
    with database.read() as session:
        (conflict,) = pair_conflicts.waiting(session)
    corrections.decide(conflict.id, "newer", EXPERT)
    assert trains(database) == ["Hei! 52 weeks."]


def test_the_same_answer_in_other_words_contradicts_nothing(
    database: Database, corrections: Corrections
) -> None:
    correct(corrections, answered(database), "Hei! 49 weeks.")
    correct(corrections, answered(database, ts="2"), "Parental leave is 49 weeks.", OTHER, "k2")
    assert trains(database) == ["Parental leave is 49 weeks."]


def test_a_proposal_is_laid_beside_what_was_approved_meanwhile(
    database: Database, corrections: Corrections
) -> None:
    waiting = correct(corrections, answered(database), "52 weeks.", COLLEAGUE)
    correct(corrections, answered(database, ts="2"), "49 weeks.", EXPERT, "k2")
    assert corrections.approve(waiting.id, OTHER).holds == ("It contradicts pair 2: 49 or 52",)


def test_two_experts_approve_where_the_settings_say_so(
    database: Database, corrections: Corrections
) -> None:
    pair = correct(corrections, answered(database, "C0LEGAL"), "Hei! 49 weeks.")
    assert pair.state == "proposed"
    assert corrections.approve(pair.id, EXPERT).state == "proposed"
    assert corrections.approve(pair.id, OTHER).state == "approved"


def test_each_correction_is_first_a_test_of_the_version_that_answered(
    database: Database, corrections: Corrections
) -> None:
    correct(corrections, answered(database, said="It is 40 weeks [1]."), "It is 49 weeks.")
    again = answered(database, ts="2", said="It is 49 weeks of leave [1].")
    correct(corrections, again, "It is 49 weeks.", OTHER, "k2")
    with database.read() as session:
        trials = pair_trials.series(session)
    assert [trial.score.version for trial in trials] == ["v3", "v3"]
    assert [trial.score.agrees for trial in trials] == [False, True]
    assert [point.agreeing for point in curve(trials, fading=1.0)] == [0.0, 0.5]


def test_a_trial_is_measured_once_and_a_rejected_pair_is_no_test(
    database: Database, corrections: Corrections
) -> None:
    answer = answered(database)
    for _ in range(2):
        pair = correct(corrections, answer, "Hei! 49 weeks.", COLLEAGUE)
    with database.read() as session:
        assert len(pair_trials.series(session)) == 1
    corrections.reject(pair.id, EXPERT)
    with database.read() as session:
        assert pair_trials.series(session) == ()


def test_pairs_of_different_audiences_are_not_laid_side_by_side(
    database: Database, corrections: Corrections
) -> None:
    with database.write() as session:
        for number, audience in enumerate(("everyone", "C0BOARD")):
            new = NewPair("How long is leave?", f"Hei! {number + 7} weeks.", "U1", "import",
                          f"key {number}", audience=audience)  # fmt: skip
            pair = corrections.propose_in(session, new, Findings())
            assert corrections.approve_in(session, pair.id, EXPERT).holds == ()
