from __future__ import annotations

import pytest

from storage import pair_clearing, pair_ledger, pairs
from storage.database import Database
from storage.pairs import NewPair, PairChangeRefused

PAIR = NewPair("Where is the board's boat?", "In the harbour.", "U1", "slack", "k", audience="C9")


def test_an_expert_can_clear_a_pair_for_the_model_that_everyone_asks(database: Database) -> None:
    with database.write() as session:
        pair = pairs.propose(session, PAIR)
        pairs.approve(session, pair.id, "U9")
        assert pairs.for_snapshot(session) == ()
        cleared = pair_clearing.clear(session, pair.id, "U9", "The boat is in the newspaper.")
        assert (cleared.audience, cleared.holds) == ("everyone", ())
        assert [each.id for each in pairs.for_snapshot(session)] == [pair.id]
    with database.read() as session:
        assert pair_ledger.differences(session) == ()


@pytest.mark.parametrize(
    ("pair_id", "reason", "said"),
    [(1, " ", "Say why"), (7, "so", "no pair 7"), (2, "so", "for everyone already")],
)
def test_without_a_reason_or_a_need_nothing_is_cleared(
    database: Database, pair_id: int, reason: str, said: str
) -> None:
    with database.write() as session:
        pairs.propose(session, PAIR)
        pairs.propose(session, NewPair("Where is the cat?", "Here.", "U1", "slack", "k2"))
    with pytest.raises(PairChangeRefused, match=said), database.write() as session:
        pair_clearing.clear(session, pair_id, "U9", reason)
