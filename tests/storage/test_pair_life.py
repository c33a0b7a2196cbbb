from __future__ import annotations

from sqlalchemy import text

from storage import audit, pair_ledger, pairs
from storage.database import Database
from storage.pairs import NewPair

NEW = NewPair(
    "Where do bikes go?", "Hei! In the yard.", "U1", "slack", "view:1", holds=("No bikes here.",)
)


def test_two_experts_are_needed_where_the_policy_says_so(database: Database) -> None:
    with database.write() as session:
        pair = pairs.propose(session, NEW)
        assert pairs.approve(session, pair.id, "U8", needed=2).state == "proposed"
        assert pairs.approve(session, pair.id, "U8", needed=2).state == "proposed"
        assert pairs.approve(session, pair.id, "U9", needed=2).state == "approved"
        yes = [(r.actor, r.action) for r in audit.latest(session) if r.actor in ("U8", "U9")]
    assert yes == [("U9", "pair.approved"), ("U8", "pair.yes")]


def test_erasing_a_pair_leaves_its_number_and_none_of_its_words(database: Database) -> None:
    with database.write() as session:
        pair = pairs.propose(session, NEW)
        pairs.approve(session, pair.id, "U9")
        pairs.erase(session, pair.id, "admin")
        assert pair_ledger.differences(session) == ()
        for table in ("pairs", "pair_holds", "pair_bands", "pair_groups", "audit"):
            rows = str(session.execute(text(f"SELECT * FROM {table}")).all()).lower()
            assert not [word for word in ("bikes", "yard") if word in rows], table
        assert pairs.count_by_state(session)["revoked"] == 1
