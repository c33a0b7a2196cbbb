from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from storage import answers, canaries, pairs, questions, runs, versions, votes
from storage.answers import NewAnswer
from storage.canaries import Canary, CanaryRefused, Opinions, Outcomes, Thread
from storage.clock import utc_now
from storage.database import Database
from storage.pairs import NewPair
from storage.tables.canaries import CanaryThreadRow

DAY = timedelta(hours=24)


def challenger(database: Database, gate: str = "passed", name: str = "v1") -> int:
    with database.write() as session:
        versions.ensure_base(session)
        run = runs.propose(session, name, "U1")
        runs.abandon(session, run.id, "")
        made = versions.register(
            session, name, run_id=run.id, folder=f"/{name}", manifest_sha256="0" * 64
        )
        return versions.judge(session, made.id, "passed" if gate == "passed" else "refused").id


def begin(database: Database, share: float = 0.5) -> Canary:
    made = challenger(database)
    with database.write() as session:
        return canaries.begin(session, made, share, "U1")


def ask(database: Database, thread: Thread, ts: str, *, model: str | None = "v1") -> int:
    """Record a question in a thread with its answer; returns the answer's id."""
    with database.write() as session:
        question = questions.record(
            session,
            team_id=thread.team_id,
            channel=thread.channel,
            ts=ts,
            thread_ts=thread.thread_ts,
            user_id="U2",
            place="mention",
            text="How much?",
        )
        assert question is not None
        answer = NewAnswer(question, "grounded", "103 kroner [1].", model)
        return answers.record(session, answer).id


def assign(database: Database, canary: Canary, thread: Thread) -> bool:
    with database.write() as session:
        return canaries.assign(session, canary, thread)


def outcomes(database: Database, canary: Canary, settles_after: timedelta) -> Outcomes:
    with database.read() as session:
        return canaries.outcomes(session, canary, settles_after)


def threads(count: int) -> list[Thread]:
    return [Thread("T1", "C1", f"{number}.0") for number in range(count)]


def test_a_thread_stays_with_the_version_it_began_with(database: Database) -> None:
    canary = begin(database)
    first = [assign(database, canary, thread) for thread in threads(30)]
    assert [assign(database, canary, thread) for thread in threads(30)] == first
    assert set(first) == {True, False}
    with database.read() as session:
        assert canaries.threads_of(session, canary) == (first.count(False), first.count(True))


def test_the_share_of_threads_is_kept() -> None:
    drawn = [canaries.is_drawn(1, thread, 0.2) for thread in threads(2000)]
    assert 0.17 < sum(drawn) / 2000 < 0.23
    # Another canary draws anew: the same people do not always get the challenger.
    assert drawn != [canaries.is_drawn(2, thread, 0.2) for thread in threads(2000)]


def test_a_thread_that_began_before_stays_with_the_champion_and_does_not_count(
    database: Database,
) -> None:
    older = threads(12)
    for place, thread in enumerate(older):
        ask(database, thread, f"{place}.5")
    canary = begin(database)
    assert not any(assign(database, canary, thread) for thread in older)
    with database.read() as session:
        assert canaries.threads_of(session, canary) == (0, 0)


def test_votes_down_and_corrections_make_a_thread_bad_and_votes_up_outweigh(
    database: Database,
) -> None:
    canary = begin(database)
    asked = threads(4)
    sides = [assign(database, canary, thread) for thread in asked]
    liked, disliked, corrected, disputed = (
        ask(database, thread, f"{place}.5") for place, thread in enumerate(asked)
    )
    with database.write() as session:
        votes.cast(session, liked, "U1", 1)
        votes.cast(session, disliked, "U1", -1)
        votes.cast(session, disputed, "U1", -1)
        votes.cast(session, disputed, "U2", 1)
        pairs.propose(
            session,
            NewPair(
                input="How much?",
                output="105 kroner.",
                author="U1",
                origin="slack",
                origin_key="c1",
                answer_id=corrected,
            ),
        )
        began = utc_now() - timedelta(seconds=60)
        session.execute(update(CanaryThreadRow).values(started_at=began))
    found = outcomes(database, canary, timedelta(seconds=60))
    bad = dict.fromkeys((True, False), 0)
    for side, is_bad in zip(sides, (False, True, True, False), strict=True):
        bad[side] += is_bad
    assert (sum(found.challenger), sum(found.champion)) == (bad[True], bad[False])
    assert len(found.challenger) + len(found.champion) == 4


def test_a_thread_counts_only_once_people_had_their_time(database: Database) -> None:
    canary = begin(database)
    thread = threads(1)[0]
    assign(database, canary, thread)
    answer = ask(database, thread, "0.5")
    assert outcomes(database, canary, DAY) == Outcomes((), ())
    with database.write() as session:
        session.execute(update(CanaryThreadRow).values(started_at=utc_now() - 2 * DAY))
        votes.cast(session, answer, "U1", -1)  # a day too late to count
    found = outcomes(database, canary, DAY)
    assert found.champion + found.challenger == (False,)


def test_a_thread_without_a_models_answer_does_not_count(database: Database) -> None:
    canary = begin(database)
    thread = threads(1)[0]
    assign(database, canary, thread)
    ask(database, thread, "0.5", model=None)
    assert outcomes(database, canary, timedelta(0)) == Outcomes((), ())


def test_what_people_say_is_seen_of_both_sides_before_it_is_settled(database: Database) -> None:
    canary = begin(database)
    asked = threads(30)
    sides = [assign(database, canary, thread) for thread in asked]
    mine, theirs = asked[sides.index(True)], asked[sides.index(False)]
    liked, disliked = ask(database, mine, "1.5"), ask(database, theirs, "2.5")
    with database.write() as session:
        votes.cast(session, liked, "U1", 1)
        votes.cast(session, disliked, "U1", -1)
        pairs.propose(
            session,
            NewPair(
                input="How much?",
                output="105 kroner.",
                author="U1",
                origin="slack",
                origin_key="c1",
                answer_id=disliked,
            ),
        )
        champion, new = canaries.opinions(session, canary)
    assert new == Opinions(sides.count(True), votes_up=1, votes_down=0, corrections=0)
    assert champion == Opinions(sides.count(False), votes_up=0, votes_down=1, corrections=1)


def test_there_is_one_canary_at_a_time_and_it_ends_once(database: Database) -> None:
    canary = begin(database)
    other = challenger(database, name="v2")
    with database.write() as session, pytest.raises(CanaryRefused, match="one at a time"):
        canaries.begin(session, other, 0.5, "U1")
    with database.write() as session:
        assert canaries.end(session, canary, "withdrawn", "worse")
        assert not canaries.end(session, canary, "promoted", "better")
        assert canaries.running(session) is None
        ended = canaries.latest(session)
        assert ended is not None
        assert (ended.state, ended.reason) == ("withdrawn", "worse")


def test_a_version_that_the_gate_refused_is_tried_on_nobody(database: Database) -> None:
    made = challenger(database, gate="refused")
    with database.write() as session, pytest.raises(CanaryRefused, match="may not answer"):
        canaries.begin(session, made, 0.5, "U1")
