"""Presses of Stop: what was asked in a thread until then is not gone on with."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.questions import Question
from storage.tables.conversation import StopRow


def press(session: Session, team_id: str, channel: str, thread_ts: str, user_id: str) -> None:
    """Note that somebody pressed Stop in a thread."""
    session.add(
        StopRow(
            team_id=team_id,
            channel=channel,
            thread_ts=thread_ts,
            user_id=user_id,
            created_at=utc_now(),
        )
    )
    session.flush()


def is_stopped(session: Session, question: Question) -> bool:
    """Whether Stop was pressed in the question's thread after it was asked."""
    found = session.scalar(
        select(StopRow.id)
        .where(
            StopRow.team_id == question.team_id,
            StopRow.channel == question.channel,
            StopRow.thread_ts == question.thread_ts,
            StopRow.created_at >= question.created_at,
        )
        .limit(1)
    )
    return found is not None
