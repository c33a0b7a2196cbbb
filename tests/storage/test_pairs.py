from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import audit, pairs
from storage.database import Database
from storage.pair_groups import content_words, draw_split, question_key
from storage.pairs import NewPair, Pair, PairChangeRefused, PairSource

LEAVE = NewPair(
    input="How many days of parental leave do I get?",
    output="Hei! You get 49 weeks.",
    author="U1",
    origin="slack",
    origin_key="view:1",
    sources=(PairSource("people/leave.md", "Parental leave"),),
)


def _propose(database: Database, pair: NewPair = LEAVE) -> Pair:
    with database.write() as session:
        return pairs.propose(session, pair)


def _approve(database: Database, pair_id: int) -> Pair:
    with database.write() as session:
        return pairs.approve(session, pair_id, "U9")


def test_the_same_correction_delivered_twice_is_one_pair(database: Database) -> None:
    assert _propose(database).id == _propose(database).id
    with database.read() as session:
        assert pairs.count_by_state(session)["proposed"] == 1


def test_a_proposed_pair_does_not_count_before_it_is_approved(database: Database) -> None:
    pair = _propose(database)
    with database.read() as session:
        assert pairs.approved_answer(session, LEAVE.input, {"everyone"}) is None
    _approve(database, pair.id)
    with database.read() as session:
        found = pairs.approved_answer(
            session, "how many days of PARENTAL leave do I get", {"everyone"}
        )
    assert found is not None
    assert found.output == LEAVE.output
    assert found.sources == LEAVE.sources


def test_a_newer_answer_to_the_same_question_supersedes_the_older(database: Database) -> None:
    old = _propose(database)
    _approve(database, old.id)
    new = _propose(database, replace(LEAVE, output="Hei! 52 weeks.", origin_key="view:2"))
    _approve(database, new.id)
    with database.read() as session:
        assert pairs.get(session, old.id).state == "superseded"
        found = pairs.approved_answer(session, LEAVE.input, {"everyone"})
    assert found is not None
    assert found.id == new.id


def test_nobody_sees_a_pair_outside_its_audience(database: Database) -> None:
    pair = _propose(database, replace(LEAVE, audience="C-board"))
    _approve(database, pair.id)
    with database.read() as session:
        assert pairs.approved_answer(session, LEAVE.input, {"everyone"}) is None
        assert pairs.approved(session) == ()
        assert pairs.approved_answer(session, LEAVE.input, {"everyone", "C-board"}) is not None


@pytest.mark.parametrize("change", [pairs.reject, pairs.revoke])
def test_a_change_that_makes_no_sense_is_refused_with_the_reason(
    database: Database, change: object
) -> None:
    pair = _propose(database)
    if change is pairs.reject:
        _approve(database, pair.id)
    with pytest.raises(PairChangeRefused, match=f"Pair {pair.id} is"), database.write() as session:
        change(session, pair.id, "U9")  # type: ignore[operator]


def test_every_change_leaves_an_audit_record_and_the_chain_holds(database: Database) -> None:
    pair = _propose(database)
    _approve(database, pair.id)
    with database.write() as session:
        pairs.revoke(session, pair.id, "U9")
    with database.read() as session:
        actions = [record.action for record in audit.latest(session)]
        assert actions == ["pair.revoked", "pair.approved", "pair.propose", "group.made"]
        assert audit.first_broken(session) is None


def test_an_altered_audit_record_is_found(database: Database) -> None:
    from sqlalchemy import text

    pair = _propose(database)
    _approve(database, pair.id)
    with database.write() as session:
        session.execute(text("UPDATE audit SET actor = 'nobody' WHERE id = 1"))
    with database.read() as session:
        assert audit.first_broken(session) == 1


def test_the_same_question_in_other_words_falls_into_the_same_group(database: Database) -> None:
    first = _propose(database)
    other = _propose(
        database,
        replace(LEAVE, input="Parental leave: how many days can we get?", origin_key="view:2"),
    )
    different = _propose(
        database, replace(LEAVE, input="Where do I park my bike?", origin_key="view:3")
    )
    assert other.group_key == first.group_key
    assert other.split == first.split
    assert different.group_key != first.group_key


@given(st.text(), st.floats(0, 1))
def test_the_split_of_a_group_never_changes_and_only_grows_with_the_share(
    key: str, share: float
) -> None:
    assert draw_split(key, share) == draw_split(key, share)
    if draw_split(key, share) == "held_out":
        assert draw_split(key, min(1.0, share + 0.1)) == "held_out"


def test_about_the_wished_share_of_groups_is_held_out() -> None:
    held = sum(draw_split(f"group {n}", 0.18) == "held_out" for n in range(5_000))
    assert 0.16 < held / 5_000 < 0.20


@given(st.text())
def test_any_text_has_a_key_that_is_stable(text: str) -> None:
    assert question_key(question_key(text)) == question_key(text)
    assert content_words(text) == content_words(question_key(text))


def test_what_is_proposed_or_approved_comes_back_as_it_is_stored(database: Database) -> None:
    new = NewPair(
        "Where is the boat?", "At the pier.", "U1", "import", "k", language="en", audience="C1",
        context="The boat lies at the pier.", reason="wrong", answer_id=7,
        sources=(PairSource("a.md", "A"), PairSource("b.md", "B")), holds=("Look.", "Look.", "So."),
        place="C1", created_at=datetime(2026, 5, 1, 12, 30, 0, 5, timezone(timedelta(hours=2))),
    )  # fmt: skip
    with database.write() as session:
        proposed = pairs.propose(session, new)
        assert proposed == pairs.get(session, proposed.id)
        approved = pairs.approve(session, proposed, "U9")
        assert approved == pairs.get(session, proposed.id)
        again = pairs.propose(session, replace(new, origin_key="k2", sources=(), holds=()))
        assert again == pairs.get(session, again.id)
        assert pairs.approve(session, again, "U9") == pairs.get(session, again.id)
        assert pairs.known_keys(session, ["k", "k2", "k3"]) == {"k", "k2"}
