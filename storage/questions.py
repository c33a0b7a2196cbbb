"""Questions: recorded once each, however many events tell of the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import QuestionRow


@dataclass(frozen=True)
class Question:
    """What somebody asked, where, and in which thread the answer belongs."""

    id: int
    team_id: str
    channel: str
    ts: str
    thread_ts: str
    user_id: str
    place: str
    text: str
    created_at: datetime


def record(
    session: Session,
    *,
    team_id: str,
    channel: str,
    ts: str,
    thread_ts: str,
    user_id: str,
    place: str,
    text: str,
) -> int | None:
    """Store a question. Returns its id, or None when this message is one already."""
    return insert_once(
        session,
        QuestionRow,
        team_id=team_id,
        channel=channel,
        ts=ts,
        thread_ts=thread_ts,
        user_id=user_id,
        place=place,
        text=text,
        created_at=utc_now(),
    )


def get(session: Session, question_id: int) -> Question:
    """Return one question; it must exist."""
    row = session.scalars(select(QuestionRow).where(QuestionRow.id == question_id)).one()
    return _question(row)


def is_our_thread(session: Session, team_id: str, channel: str, thread_ts: str) -> bool:
    """Whether the bot has been asked something in this thread before."""
    found = session.scalar(
        select(QuestionRow.id)
        .where(
            QuestionRow.team_id == team_id,
            QuestionRow.channel == channel,
            QuestionRow.thread_ts == thread_ts,
        )
        .limit(1)
    )
    return found is not None


def earlier_in_thread(session: Session, question: Question, limit: int = 3) -> tuple[Question, ...]:
    """Return the questions asked before this one in its thread, oldest first."""
    rows = session.scalars(
        select(QuestionRow)
        .where(
            QuestionRow.team_id == question.team_id,
            QuestionRow.channel == question.channel,
            QuestionRow.thread_ts == question.thread_ts,
            QuestionRow.id < question.id,
        )
        .order_by(QuestionRow.id.desc())
        .limit(limit)
    )
    return tuple(_question(row) for row in rows)[::-1]


def asked_lately(session: Session, question: Question, seconds: float) -> tuple[int, int]:
    """Return how many questions were asked in the time before this one, itself included.

    Returns:
        Those by the same person, and those in the same channel.
    """
    since = question.created_at - timedelta(seconds=seconds)
    lately = (
        select(func.count())
        .select_from(QuestionRow)
        .where(
            QuestionRow.team_id == question.team_id,
            QuestionRow.created_at > since,
            QuestionRow.id <= question.id,
        )
    )
    by_person = session.scalars(lately.where(QuestionRow.user_id == question.user_id)).one()
    in_channel = session.scalars(lately.where(QuestionRow.channel == question.channel)).one()
    return int(by_person), int(in_channel)


def askers_in_thread(
    session: Session, team_id: str, channel: str, thread_ts: str
) -> frozenset[str]:
    """Return who has asked something in a thread."""
    return frozenset(
        session.scalars(
            select(QuestionRow.user_id).where(
                QuestionRow.team_id == team_id,
                QuestionRow.channel == channel,
                QuestionRow.thread_ts == thread_ts,
            )
        )
    )


def count(session: Session) -> int:
    """Return how many questions were ever asked."""
    return int(session.scalars(select(func.count()).select_from(QuestionRow)).one())


def _question(row: QuestionRow) -> Question:
    return Question(
        row.id,
        row.team_id,
        row.channel,
        row.ts,
        row.thread_ts,
        row.user_id,
        row.place,
        row.text,
        row.created_at,
    )
