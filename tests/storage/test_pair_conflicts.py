from __future__ import annotations

from dataclasses import replace

import pytest

from storage import pair_conflicts, pair_holds, pairs
from storage.database import Database
from storage.pair_conflicts import Conflict
from storage.pairs import NewPair, Pair, PairChangeRefused

OLD = NewPair("How long is parental leave?", "Hei! 49 weeks.", "U1", "slack", "view:1")
NEW = replace(OLD, output="Hei! 52 weeks.", origin_key="view:2")
ELSEWHERE = replace(NEW, input="Parental leave: how long is it?", origin_key="view:3")


def approve(database: Database, pair: NewPair) -> Pair:
    with database.write() as session:
        return pairs.approve(session, pairs.propose(session, pair).id, "U9")


def contradict(database: Database, older: Pair, newer: Pair) -> Conflict:
    with database.write() as session:
        return pair_conflicts.open_between(session, older.id, newer.id, "49 or 52", "checks")


def decide(database: Database, conflict: Conflict, keep: str) -> None:
    with database.write() as session:
        pairs.decide_conflict(session, conflict.id, keep, "U9", "The law changed.")


def read(database: Database, pair: Pair) -> Pair:
    with database.read() as session:
        return pairs.get(session, pair.id)


def test_the_newer_of_two_that_contradict_each_other_does_not_train(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    contradict(database, older, newer)
    assert read(database, newer).holds == (f"It contradicts pair {older.id}: 49 or 52",)
    with database.read() as session:
        assert pairs.ids_for_snapshot(session) == {older.id}
        assert [c.newer_id for c in pair_conflicts.waiting(session)] == [newer.id]


def test_when_the_newer_is_right_it_takes_the_place_of_the_older(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    decide(database, contradict(database, older, newer), "newer")
    assert (read(database, older).state, read(database, older).superseded_by) == (
        "superseded",
        newer.id,
    )
    assert read(database, newer).is_usable


def test_when_the_older_is_right_the_newer_goes(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    decide(database, contradict(database, older, newer), "older")
    assert read(database, newer).state == "revoked"
    assert read(database, newer).decision_reason == "The law changed."
    assert read(database, older).is_usable


def test_an_older_answer_to_the_very_question_comes_back_if_it_was_right(
    database: Database,
) -> None:
    older, newer = approve(database, OLD), approve(database, NEW)
    assert read(database, older).state == "superseded"
    decide(database, contradict(database, older, newer), "older")
    assert read(database, older).is_usable
    assert read(database, older).superseded_by is None


def test_two_answers_may_both_be_right(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    decide(database, contradict(database, older, newer), "both")
    assert read(database, older).is_usable
    assert read(database, newer).is_usable


def test_a_proposal_that_was_found_right_outdoes_the_other_when_it_is_approved(
    database: Database,
) -> None:
    older = approve(database, OLD)
    with database.write() as session:
        newer = pairs.propose(session, ELSEWHERE)
    decide(database, contradict(database, older, newer), "newer")
    assert read(database, older).state == "approved"
    with database.write() as session:
        pairs.approve(session, newer.id, "U9")
    assert read(database, older).state == "superseded"


def test_the_hold_of_a_conflict_is_decided_and_not_released(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    contradict(database, older, newer)
    with pytest.raises(PairChangeRefused, match="Decide which"), database.write() as session:
        pair_holds.release(session, newer.id, "U9", "Trust me.")


def test_nothing_is_left_to_decide_once_a_pair_is_revoked(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    contradict(database, older, newer)
    with database.write() as session:
        pairs.revoke(session, older.id, "U9", "Outdated.")
        assert pair_conflicts.waiting(session) == ()
    assert read(database, newer).is_usable


def test_a_decision_is_made_once_and_with_a_reason(database: Database) -> None:
    older, newer = approve(database, OLD), approve(database, ELSEWHERE)
    conflict = contradict(database, older, newer)
    with pytest.raises(PairChangeRefused, match="Say why"), database.write() as session:
        pairs.decide_conflict(session, conflict.id, "both", "U9", "")
    decide(database, conflict, "both")
    with pytest.raises(PairChangeRefused, match="does not wait"):
        decide(database, conflict, "older")
    assert contradict(database, older, newer).outcome == "both"
    assert read(database, newer).is_usable
