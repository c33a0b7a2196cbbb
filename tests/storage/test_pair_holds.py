from __future__ import annotations

from dataclasses import replace

import pytest

from storage import audit, pair_holds, pairs
from storage.database import Database
from storage.pairs import NewPair, Pair, PairChangeRefused

NEW = NewPair(
    input="Whom do I call when the heating is broken?",
    output="Hei! Call Liv on 91 23 45 67.",
    author="U1",
    origin="slack",
    origin_key="view:1",
    holds=("The answer holds a phone number.", "The answer is very short."),
)


def approved(database: Database, pair: NewPair = NEW) -> Pair:
    with database.write() as session:
        return pairs.approve(session, pairs.propose(session, pair).id, "U9")


def test_a_held_pair_answers_but_does_not_train(database: Database) -> None:
    held = approved(database)
    assert held.holds == NEW.holds
    assert not held.is_usable
    with database.read() as session:
        assert pairs.approved_answer(session, NEW.input, {"everyone"}) is not None
        assert pairs.for_snapshot(session) == ()
        assert pairs.ids_for_snapshot(session) == frozenset()


def test_an_expert_releases_a_held_pair_with_a_reason(database: Database) -> None:
    held = approved(database)
    with database.write() as session:
        assert pair_holds.release(session, held.id, "U9", "The number is the help desk's.") == 2
    with database.read() as session:
        assert pairs.for_snapshot(session) == (pairs.get(session, held.id),)
        assert [r.actor for r in audit.latest(session) if r.action == "pair.release"] == ["U9"] * 2


def test_a_hold_is_not_released_without_a_reason(database: Database) -> None:
    held = approved(database)
    with pytest.raises(PairChangeRefused, match="Say why"), database.write() as session:
        pair_holds.release(session, held.id, "U9", "  ")
    with database.read() as session:
        assert not pairs.get(session, held.id).is_usable


def test_a_pair_that_is_not_held_cannot_be_released(database: Database) -> None:
    free = approved(database, replace(NEW, holds=()))
    with pytest.raises(PairChangeRefused, match="Nothing holds"), database.write() as session:
        pair_holds.release(session, free.id, "U9", "It is fine.")


def test_the_same_reason_holds_a_pair_once(database: Database) -> None:
    held = approved(database)
    with database.write() as session:
        assert pair_holds.place(session, held.id, NEW.holds, "checks") == ()
        assert len(pair_holds.place(session, held.id, ["It is toxic."], "checks")) == 1
        assert pairs.get(session, held.id).holds == (*NEW.holds, "It is toxic.")
