from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from storage import audit, pair_clearing, pair_ledger, pairs
from storage.database import Database
from storage.pair_ledger import LogTooOld
from storage.pairs import NewPair

NEW = NewPair("Where do bikes go?", "Hei! In the yard.", "U1", "slack", "view:1")


def some_pairs(database: Database) -> None:
    with database.write() as session:
        one = pairs.propose(session, NEW)
        pairs.approve(session, one.id, "U9")
        other = replace(NEW, output="Hei! In the cellar.", origin_key="view:2", holds=("Short.",))
        pairs.approve(session, pairs.propose(session, other).id, "U9")
        pairs.propose(session, replace(NEW, input="Who mends laptops?", origin_key="view:3"))


def test_the_counts_follow_from_the_audit_log_alone(database: Database) -> None:
    some_pairs(database)
    with database.read() as session:
        counted = pair_ledger.count(session)
        assert counted == pair_ledger.recount(session)
        assert counted.by_state == {
            "proposed": 1, "approved": 1, "superseded": 1, "rejected": 0, "revoked": 0,
        }  # fmt: skip
        assert (counted.open_holds, counted.train + counted.held_out) == (1, 0)
        assert sum(counted.groups.values()) == 2


def test_a_change_behind_the_back_of_the_log_is_named(database: Database) -> None:
    some_pairs(database)
    with database.write() as session:
        session.execute(text("UPDATE pair_holds SET released_at = CURRENT_TIMESTAMP"))
        found = pair_ledger.differences(session)
    assert "open holds: 0 in the tables, 1 by the audit log" in found


def test_a_pair_that_was_cleared_for_everyone_is_counted_by_the_log(database: Database) -> None:
    with database.write() as session:
        one = pairs.propose(session, replace(NEW, audience="C-board"))
        pairs.approve(session, one.id, "U9")
        pair_clearing.clear(session, one.id, "U9", "Everybody knows.")
        assert pair_ledger.differences(session) == ()
        assert pair_ledger.count(session).train + pair_ledger.count(session).held_out == 1


def test_a_log_that_is_too_old_to_count_from_says_so(database: Database) -> None:
    with database.write() as session:
        audit.record(session, "U1", "pair.propose", "pair 1", {"origin": "slack"})
        with pytest.raises(LogTooOld, match="1 pairs"):
            pair_ledger.recount(session)
