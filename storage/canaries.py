"""Canaries: a share of threads is answered by a challenger; what people thought of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from storage import audit, versions
from storage.clock import utc_now
from storage.insertion import insert_once, rows_changed
from storage.tables import AnswerRow, PairRow, QuestionRow, VoteRow
from storage.tables.canaries import CanaryRow, CanaryThreadRow
from storage.versions import Version

#: A thread, whether it is the challenger's, when it began, and an answer in it.
_Answered = tuple[int, bool, datetime, int]


class CanaryRefused(Exception):
    """No canary was begun; the message says why."""


@dataclass(frozen=True)
class Thread:
    """A thread in Slack."""

    team_id: str
    channel: str
    thread_ts: str


@dataclass(frozen=True)
class Canary:
    """A challenger on trial. `share` of the threads that begin meanwhile are its."""

    id: int
    version: Version
    champion: Version
    share: float
    state: str
    reason: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Outcomes:
    """Of each settled thread whether it is bad, oldest thread first."""

    champion: tuple[bool, ...]
    challenger: tuple[bool, ...]


@dataclass(frozen=True)
class Opinions:
    """What people have said so far of the answers in one side's threads, settled or not."""

    threads: int
    votes_up: int
    votes_down: int
    corrections: int


def begin(session: Session, version_id: int, share: float, actor: str) -> Canary:
    """Let a version that may answer be tried on a share of the threads that begin from now on.

    Raises:
        CanaryRefused: another one goes on, the version may not answer, or it answers already.
    """
    champion = versions.hold_serving(session).version
    version = versions.by_id(session, version_id)
    if not 0 < share < 1:
        raise CanaryRefused(f"A canary's share is between 0 and 1, not {share}.")
    if not version.may_answer:
        raise CanaryRefused(
            f"{version.name} may not answer anyone: the gate says {version.standing}."
        )
    if version.id == champion.id:
        raise CanaryRefused(f"{version.name} answers already.")
    made = insert_once(
        session,
        CanaryRow,
        version_id=version_id,
        champion_id=champion.id,
        share=share,
        open_slot=1,
        state="running",
        reason="",
        started_at=utc_now(),
    )
    if made is None:
        raise CanaryRefused("Another canary goes on; there is never more than one at a time.")
    details = {"champion": champion.name, "share": share}
    audit.record(session, actor, "canary.begin", f"version {version.name}", details)
    found = running(session)
    assert found is not None
    return found


def running(session: Session) -> Canary | None:
    """Return the canary that goes on, if there is one."""
    row = session.scalar(select(CanaryRow).where(CanaryRow.open_slot == 1))
    return None if row is None else _canary(session, row)


def latest(session: Session) -> Canary | None:
    """Return the newest canary, running or ended."""
    row = session.scalar(select(CanaryRow).order_by(CanaryRow.id.desc()).limit(1))
    return None if row is None else _canary(session, row)


def assign(session: Session, canary: Canary, thread: Thread) -> bool:
    """Say whether a thread gets the challenger; a thread stays with the version it began with.

    A thread in which something was asked before the canary began stays with the champion, and
    does not count. Who gets a new one follows from a hash of the thread: nobody chooses.
    """
    same = (
        CanaryThreadRow.canary_id == canary.id,
        CanaryThreadRow.team_id == thread.team_id,
        CanaryThreadRow.channel == thread.channel,
        CanaryThreadRow.thread_ts == thread.thread_ts,
    )
    known = session.scalar(select(CanaryThreadRow.is_challenger).where(*same))
    if known is not None:
        return known
    began_before = session.scalar(
        select(QuestionRow.id)
        .where(
            QuestionRow.team_id == thread.team_id,
            QuestionRow.channel == thread.channel,
            QuestionRow.thread_ts == thread.thread_ts,
            QuestionRow.created_at < canary.started_at,
        )
        .limit(1)
    )
    if began_before is not None:
        return False
    insert_once(
        session,
        CanaryThreadRow,
        canary_id=canary.id,
        team_id=thread.team_id,
        channel=thread.channel,
        thread_ts=thread.thread_ts,
        is_challenger=is_drawn(canary.id, thread, canary.share),
        started_at=utc_now(),
    )
    return bool(session.scalar(select(CanaryThreadRow.is_challenger).where(*same)))


def is_drawn(canary_id: int, thread: Thread, share: float) -> bool:
    """Whether the draw gives a thread to the challenger: the same for the same thread, always."""
    key = f"{canary_id}/{thread.team_id}/{thread.channel}/{thread.thread_ts}"
    drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return drawn < share * 2**64


def outcomes(session: Session, canary: Canary, settles_after: timedelta) -> Outcomes:
    """Return how the threads went that are old enough for people to have said so.

    A thread is bad if within that time one of its answers was corrected, or its answers got more
    votes down than up. What comes later no longer counts, so that looking again changes nothing.
    Threads in which no answer was written by a model are left out.
    """
    threads = _answered(session, canary, utc_now() - settles_after)
    thread_of = {answer: (thread, began) for thread, _, began, answer in threads}
    votes: dict[int, int] = defaultdict(int)
    corrected: set[int] = set()
    for answer, value, at in session.execute(
        select(VoteRow.answer_id, VoteRow.value, VoteRow.created_at).where(
            VoteRow.answer_id.in_(thread_of)
        )
    ):
        thread, began = thread_of[answer]
        if at <= began + settles_after:
            votes[thread] += value
    for corrected_answer, at in session.execute(
        select(PairRow.answer_id, PairRow.created_at).where(PairRow.answer_id.in_(thread_of))
    ):
        thread, began = thread_of[int(corrected_answer or 0)]
        if at <= began + settles_after:
            corrected.add(thread)
    sides: dict[bool, list[bool]] = {True: [], False: []}
    for thread, is_challenger in dict.fromkeys((thread, side) for thread, side, _, _ in threads):
        sides[bool(is_challenger)].append(thread in corrected or votes[thread] < 0)
    return Outcomes(tuple(sides[False]), tuple(sides[True]))


def opinions(session: Session, canary: Canary) -> tuple[Opinions, Opinions]:
    """Return what was said of the champion's and of the challenger's answers so far."""
    side_of = {answer: bool(side) for _, side, _, answer in _answered(session, canary, utc_now())}
    votes = session.execute(
        select(VoteRow.answer_id, VoteRow.value).where(VoteRow.answer_id.in_(side_of))
    ).all()
    corrected = session.scalars(
        select(PairRow.answer_id).where(PairRow.answer_id.in_(side_of))
    ).all()

    def of(side: bool, threads: int) -> Opinions:
        values = [value for answer, value in votes if side_of[answer] is side]
        return Opinions(
            threads=threads,
            votes_up=sum(value > 0 for value in values),
            votes_down=sum(value < 0 for value in values),
            corrections=sum(side_of[int(answer or 0)] is side for answer in corrected),
        )

    champion, challenger = threads_of(session, canary)
    return of(False, champion), of(True, challenger)


def end(
    session: Session,
    canary: Canary,
    state: Literal["promoted", "withdrawn"],
    reason: str,
    actor: str = "canary",
) -> bool:
    """End a canary; returns False when somebody else has ended it before.

    Args:
        session: A writing transaction.
        canary: Which one.
        state: How it ends.
        reason: Why.
        actor: Who ends it: a Slack user id, `command line`, or `canary` for the test itself.
    """
    changed = session.execute(
        update(CanaryRow)
        .where(CanaryRow.id == canary.id, CanaryRow.open_slot == 1)
        .values(open_slot=None, state=state, reason=reason, ended_at=utc_now())
    )
    if not rows_changed(changed):
        return False
    audit.record(
        session, actor, f"canary.{state}", f"version {canary.version.name}", {"reason": reason}
    )
    return True


def threads_of(session: Session, canary: Canary) -> tuple[int, int]:
    """Return how many threads the champion and the challenger have got so far."""
    counted = {
        bool(side): int(count)
        for side, count in session.execute(
            select(CanaryThreadRow.is_challenger, func.count())
            .where(CanaryThreadRow.canary_id == canary.id)
            .group_by(CanaryThreadRow.is_challenger)
        )
    }
    return counted.get(False, 0), counted.get(True, 0)


def _answered(session: Session, canary: Canary, until: datetime) -> list[_Answered]:
    """Return the answers of a model in a canary's threads that began until a moment."""
    found = session.execute(
        select(
            CanaryThreadRow.id,
            CanaryThreadRow.is_challenger,
            CanaryThreadRow.started_at,
            AnswerRow.id,
        )
        .join(
            QuestionRow,
            and_(
                QuestionRow.team_id == CanaryThreadRow.team_id,
                QuestionRow.channel == CanaryThreadRow.channel,
                QuestionRow.thread_ts == CanaryThreadRow.thread_ts,
            ),
        )
        .join(AnswerRow, AnswerRow.question_id == QuestionRow.id)
        .where(
            CanaryThreadRow.canary_id == canary.id,
            CanaryThreadRow.started_at <= until,
            AnswerRow.model_version.is_not(None),
        )
        .order_by(CanaryThreadRow.started_at, CanaryThreadRow.id)
    )
    return [(thread, side, began, answer) for thread, side, began, answer in found]


def _canary(session: Session, row: CanaryRow) -> Canary:
    return Canary(
        id=row.id,
        version=versions.by_id(session, row.version_id),
        champion=versions.by_id(session, row.champion_id),
        share=row.share,
        state=row.state,
        reason=row.reason,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
