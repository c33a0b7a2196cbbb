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


def _approve(database: Database, question: str, output: str, *holds: str) -> int:
    with database.write() as session:
        new = NewPair(question, output, "U1", "import", f"{question} {output}", holds=holds)
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
