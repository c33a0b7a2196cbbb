from __future__ import annotations

from dataclasses import replace

import pytest

from bot.corrections import Corrections
from bot.pair_checks import PairChecks
from bot.pair_masking import PairMasking
from bot.permissions import Permissions
from bot.settings import People
from storage import pair_holds, pairs
from storage.database import Database
from storage.pairs import NewPair, PairChangeRefused
from training.prompt import Voice

PAIR = NewPair(
    "Who has the key to the boat?", "Hei! Call Siv, 917 30 584, before nine.", "U1", "slack", "k"
)


@pytest.fixture
def masking(database: Database) -> PairMasking:
    checks = PairChecks(database, voice=Voice(), find_text=lambda *_: None)
    corrections = Corrections(database, Permissions(People()), 0.0, checks.examine)
    return PairMasking(database, checks, corrections, lambda: None)


def _propose(database: Database, pair: NewPair = PAIR, *, approved: bool = False) -> int:
    with database.write() as session:
        stored = pairs.propose(session, pair)
        return pairs.approve(session, stored.id, "U9").id if approved else stored.id


@pytest.mark.parametrize(("is_approved", "after"), [(True, "superseded"), (False, "rejected")])
def test_a_masked_pair_takes_the_place_of_the_other(
    database: Database, masking: PairMasking, is_approved: bool, after: str
) -> None:
    held = replace(PAIR, holds=("The answer has personal data.",))
    old = _propose(database, held, approved=is_approved)
    new = masking.mask(old, "U9")
    assert new.output == "Hei! Call Siv, [phone number], before nine."
    assert (new.state, new.holds) == ("approved" if is_approved else "proposed", ())
    with database.read() as session:
        assert pairs.get(session, old).state == after
        usable = [pair.id for pair in pairs.for_snapshot(session)]
    assert usable == ([new.id] if is_approved else [])


def test_a_pair_whose_question_is_masked_does_not_leave_the_other_in_use(
    database: Database, masking: PairMasking
) -> None:
    old = _propose(
        database, replace(PAIR, input="Is 917 30 584 the boat?", output="It is."), approved=True
    )
    new = masking.mask(old, "U9")
    assert new.input == "Is [phone number] the boat?"
    with database.read() as session:
        revoked = pairs.get(session, old)
    assert (revoked.state, revoked.decision_reason) == ("revoked", f"Masked as pair {new.id}.")


def test_a_pair_without_anything_personal_or_out_of_use_is_not_masked(
    database: Database, masking: PairMasking
) -> None:
    plain = _propose(database, replace(PAIR, output="Hei! Call the desk before nine."))
    with pytest.raises(PairChangeRefused, match="Nothing personal"):
        masking.mask(plain, "U9")
    with database.write() as session:
        pairs.reject(session, plain, "U9")
    with pytest.raises(PairChangeRefused, match="rejected"):
        masking.mask(plain, "U9")


def test_pairs_that_came_before_the_checks_are_held_once_and_not_against_an_expert(
    database: Database, masking: PairMasking
) -> None:
    number = _propose(database, approved=True)
    _propose(database, NewPair("Where is the cat?", "Hei! On the stairs.", "U1", "slack", "k2"))
    first = masking.check_again()
    assert (first.looked_at, [pair_id for pair_id, _ in first.held]) == (2, [number])
    assert masking.check_again().held == ()
    with database.write() as session:
        assert pairs.for_snapshot(session) == ()
        pair_holds.release(session, number, "U9", "It is the desk's number.")
    assert masking.check_again().held == ()
    with database.read() as session:
        assert [pair.id for pair in pairs.for_snapshot(session)] == [number]
