from __future__ import annotations

import pytest

from bot.pair_checks import personal_data_reasons
from bot.pair_deciding import PairDeciding
from storage import audit, pair_conflicts, pairs
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


PHONE = "Hei! Call Liv on 917 30 584 before nine."
HELD = personal_data_reasons(HEATING, PHONE)


def test_a_pair_with_a_phone_number_is_not_released_for_any_reason(
    database: Database, deciding: PairDeciding
) -> None:
    held = _approve(database, HEATING, PHONE, *HELD, "It is very short.")
    with pytest.raises(PairChangeRefused, match=f"pairs mask {held}.*--not-personal"):
        deciding.release(held, "Everybody knows Liv.")
    with database.read() as session:
        assert len(pairs.get(session, held).holds) == 2


def test_one_from_before_there_were_checks_is_not_released_either(
    database: Database, deciding: PairDeciding
) -> None:
    held = _approve(database, HEATING, PHONE, "It is very short.")
    with pytest.raises(PairChangeRefused, match="personal or secret"):
        deciding.release(held, "That is all there is to say.")


def test_a_false_alarm_is_named_with_who_says_so_and_why_and_releases_from_nothing_else(
    database: Database, deciding: PairDeciding
) -> None:
    held = _approve(database, HEATING, PHONE, *HELD, "It is very short.")
    with pytest.raises(PairChangeRefused, match="Say why"):
        deciding.not_personal(held, " ")
    said = deciding.not_personal(held, "It is the desk's number.")
    assert said == {"id": held, "released": 1, "holds": ["It is very short."]}
    assert deciding.release(held, "That is all there is to say.")["released"] == 1
    with database.read() as session:
        assert [pair.id for pair in pairs.for_snapshot(session)] == [held]
        (record,) = audit.history(session, ("pair.not_personal",))
    assert (record.actor, record.subject) == ("command line", f"pair {held}")
    assert record.details == {"found": ["phone number"], "reason": "It is the desk's number."}
    assert deciding.counts()["differences"] == []


def test_nothing_is_a_false_alarm_where_nothing_was_found(
    database: Database, deciding: PairDeciding
) -> None:
    held = _approve(database, HEATING, "Hei! Liv.", "It is very short.")
    with pytest.raises(PairChangeRefused, match="Nothing personal or secret is found"):
        deciding.not_personal(held, "It is the desk's number.")
