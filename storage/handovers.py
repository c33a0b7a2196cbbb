"""Handovers: questions that people answer because the bot could not. One question has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storage import audit
from storage.clock import utc_now
from storage.insertion import insert_once, rows_changed
from storage.questions import Question
from storage.questions import get as question_by_id
from storage.tables import QuestionRow
from storage.tables.conversation import HandoverRow


@dataclass(frozen=True)
class Handover:
    """Who asked for people, of whom, and whether somebody has answered."""

    id: int
    question: Question
    asked_by: str
    asked_of: tuple[str, ...]
    state: str
    answered_by: str | None
    created_at: datetime

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has answered yet."""
        return self.state == "waiting"


def begin(session: Session, question_id: int, asked_by: str, asked_of: Sequence[str]) -> bool:
    """Hand a question over. Returns whether this was the first time; it waits only once."""
    made = insert_once(
        session,
        HandoverRow,
        question_id=question_id,
        asked_by=asked_by,
        asked_of=list(asked_of),
        state="waiting",
        created_at=utc_now(),
    )
    if made is None:
        return False
    audit.record(
        session,
        asked_by,
        "question.hand_over",
        f"question {question_id}",
        {"asked_of": list(asked_of)},
    )
    return True


def settle(session: Session, question_id: int, answered_by: str) -> bool:
    """Note that somebody has answered. Returns whether the question was still waiting."""
    changed = session.execute(
        update(HandoverRow)
        .where(HandoverRow.question_id == question_id, HandoverRow.state == "waiting")
        .values(state="answered", answered_by=answered_by, answered_at=utc_now())
    )
    return rows_changed(changed) > 0


def of_question(session: Session, question_id: int) -> Handover | None:
    """Return the handover of a question, if it was ever handed over."""
    row = session.scalar(select(HandoverRow).where(HandoverRow.question_id == question_id))
    return None if row is None else _handover(session, row)


def waiting_in_thread(
    session: Session, team_id: str, channel: str, thread_ts: str
) -> tuple[Handover, ...]:
    """Return what waits for people in a thread, oldest first."""
    rows = session.scalars(
        select(HandoverRow)
        .join(QuestionRow, QuestionRow.id == HandoverRow.question_id)
        .where(
            QuestionRow.team_id == team_id,
            QuestionRow.channel == channel,
            QuestionRow.thread_ts == thread_ts,
            HandoverRow.state == "waiting",
        )
        .order_by(HandoverRow.id)
    ).all()
    return tuple(_handover(session, row) for row in rows)


def waiting(session: Session, limit: int = 20) -> tuple[Handover, ...]:
    """Return the questions that wait for people, the longest first."""
    rows = session.scalars(
        select(HandoverRow)
        .where(HandoverRow.state == "waiting")
        .order_by(HandoverRow.id)
        .limit(limit)
    ).all()
    return tuple(_handover(session, row) for row in rows)


def _handover(session: Session, row: HandoverRow) -> Handover:
    return Handover(
        row.id,
        question_by_id(session, row.question_id),
        row.asked_by,
        tuple(row.asked_of),
        row.state,
        row.answered_by,
        row.created_at,
    )
