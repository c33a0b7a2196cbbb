from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from storage import pair_watch, pairs
from storage.clock import utc_now
from storage.database import Database
from storage.pairs import NewPair, PairSource

PAIR = NewPair("Where is the ladder?", "In the shed.", "U1", "slack", "slack:1")


def _propose(database: Database, pair: NewPair = PAIR, *, approved: bool = False) -> int:
    with database.write() as session:
        stored = pairs.propose(session, pair)
        return pairs.approve(session, stored.id, "U9").id if approved else stored.id


def test_pairs_of_the_last_while_are_told_with_their_pages(database: Database) -> None:
    _propose(database, replace(PAIR, sources=(PairSource("a.md", "Tools"),)))
    _propose(database, replace(PAIR, origin_key="i:1", origin="import"))
    long_ago = utc_now() - timedelta(days=2)
    _propose(database, replace(PAIR, origin_key="slack:0", created_at=long_ago))
    with database.read() as session:
        (recent,) = pair_watch.proposed_since(session, utc_now() - timedelta(days=1))
    assert (recent.author, recent.question, recent.pages) == ("U1", PAIR.input, ("a.md",))
    assert not recent.replaces


def test_taking_the_place_of_somebody_else_s_answer_is_told(database: Database) -> None:
    _propose(database, replace(PAIR, author="U2"), approved=True)
    with database.read() as session:
        assert pair_watch.is_answered_by_others(session, "where is THE ladder", "U1")
        assert not pair_watch.is_answered_by_others(session, "where is THE ladder", "U2")
    _propose(database, replace(PAIR, output="By the door.", origin_key="s:2"), approved=True)
    with database.read() as session:
        recent = pair_watch.proposed_since(session, utc_now() - timedelta(days=1))
    assert [(each.author, each.replaces) for each in recent] == [("U1", True), ("U2", False)]


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("fjellro.example", True),
        ("intranet.fjellro.example", True),
        ("ro.example", False),
        ("fjellro.example.evil.example", False),
        ("fjellro_example", False),
        ("elsewhere.example", False),
    ],
)
def test_a_host_is_known_when_an_approved_answer_links_to_it(
    database: Database, host: str, is_known: bool
) -> None:
    answer = "See https://intranet.fjellro.example/leave."
    _propose(database, replace(PAIR, output=answer), approved=True)
    held = "See https://elsewhere.example/leave."
    _propose(
        database,
        replace(PAIR, input="And now?", output=held, origin_key="s:3", holds=("Strange link.",)),
        approved=True,
    )
    with database.read() as session:
        assert pair_watch.is_host_known(session, host) is is_known


def test_only_answers_that_nothing_holds_show_how_the_company_writes(database: Database) -> None:
    _propose(database, approved=True)
    _propose(database, replace(PAIR, input="And now?", origin_key="s:2"))
    _propose(
        database,
        replace(PAIR, input="Why?", origin_key="s:3", holds=("It is rude.",)),
        approved=True,
    )
    with database.read() as session:
        assert pair_watch.approved_outputs(session) == (PAIR.output,)
