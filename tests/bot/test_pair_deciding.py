from __future__ import annotations

import pytest

from bot.pair_deciding import PairDeciding
from storage import pair_conflicts, pairs
from storage.database import Database
from storage.pairs import NewPair, PairChangeRefused

HEATING = "Who mends the heating?"


@pytest.fixture
def deciding(database: Database) -> PairDeciding:
    return PairDeciding(database, "command line", lambda: None)


def _approve(
    database: Database, question: str, output: str, *holds: str, audience: str = "everyone"
) -> int:
    key = f"{question} {output}"
    with database.write() as session:
        new = NewPair(question, output, "U1", "import", key, holds=holds, audience=audience)
        return pairs.approve(session, pairs.propose(session, new).id, "U9").id


def test_a_held_pair_is_released_with_a_reason(database: Database, deciding: PairDeciding) -> None:
    held = _approve(database, HEATING, "Hei! Liv.", "It is very short.")
    with pytest.raises(PairChangeRefused, match="Say why"):
        deciding.release(held, "")
    assert deciding.release(held, "That is all there is to say.") == {"id": held, "released": 1}


def test_contradicting_pairs_are_shown_side_by_side_and_decided(
    database: Database, deciding: PairDeciding
) -> None:
    older = _approve(database, HEATING, "Hei! Liv.")
    newer = _approve(database, "Heating broken: who mends it?", "Hei! Per.")
    with database.write() as session:
        pair_conflicts.open_between(session, older, newer, "Liv or Per", "checks")
    (shown,) = deciding.conflicts()
    assert (shown["older"]["output"], shown["newer"]["output"]) == ("Hei! Liv.", "Hei! Per.")
    deciding.decide(shown["conflict"], "older", "Liv is back.")
    assert deciding.conflicts() == []
    assert deciding.counts()["by_state"]["revoked"] == 1
    assert deciding.counts()["differences"] == []


def test_merging_says_what_was_set_aside(database: Database, deciding: PairDeciding) -> None:
    learned = _approve(database, "Does house7 have an alarm?", "Hei!")
    measured = _approve(database, "Where is the ladder of house4?", "Hei!")
    merged = deciding.merge(learned, measured)
    assert merged["split"] == "held_out"
    assert merged["set_aside"] == (learned,)


def test_a_cleared_pair_that_contradicts_what_everybody_is_answered_waits_for_a_decision(
    database: Database, deciding: PairDeciding
) -> None:
    cleared = _approve(database, HEATING, "Hei! Call 4 men.", audience="C9")
    known = _approve(database, "Heating broken: who mends it?", "Hei! Call 7 men.")
    said = deciding.clear(cleared, "It is no secret any more.")
    assert said["holds"][0].startswith(f"It contradicts pair {known}")
    (conflict,) = deciding.conflicts()
    assert (conflict["older"]["id"], conflict["newer"]["id"]) == (known, cleared)
    with database.read() as session:
        assert [pair.id for pair in pairs.for_snapshot(session)] == [known]
    deciding.decide(conflict["conflict"], "newer", "Three have left.")
    with database.read() as session:
        assert [pair.id for pair in pairs.for_snapshot(session)] == [cleared]
    assert deciding.counts()["differences"] == []


def test_a_cleared_pair_takes_the_place_of_what_answered_the_same_question(
    database: Database, deciding: PairDeciding
) -> None:
    cleared = _approve(database, HEATING, "Hei! Liv mends it, in the cellar.", audience="C9")
    known = _approve(database, HEATING, "Hei! Liv mends it.")
    assert deciding.clear(cleared, "It is no secret any more.")["holds"] == []
    with database.read() as session:
        assert [each.state for each in pairs.by_ids(session, [cleared, known])] == [
            "approved", "superseded",
        ]  # fmt: skip
        assert pairs.get(session, known).superseded_by == cleared
    assert deciding.counts()["differences"] == []


def test_a_waiting_pair_that_is_cleared_takes_nothing_s_place_yet(
    database: Database, deciding: PairDeciding
) -> None:
    known = _approve(database, HEATING, "Hei! Call 7 men.")
    with database.write() as session:
        new = NewPair(HEATING, "Hei! Call 4 men.", "U1", "import", "k", audience="C9")
        waiting = pairs.propose(session, new).id
    assert len(deciding.clear(waiting, "It is no secret any more.")["holds"]) == 1
    with database.read() as session:
        assert pairs.get(session, known).state == "approved"
