"""What was asked and what became of it, counted for those who plan a training."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from storage.tables import AnswerRow, PairRow, QuestionRow, VoteRow

#: How many questions are looked at, newest first.
_LOOKED_AT = 2_000


def texts_since(session: Session, since: datetime) -> tuple[str, ...]:
    """Return the questions that were asked since a moment, newest first, at most 2,000."""
    wanted = (
        select(QuestionRow.text)
        .where(QuestionRow.created_at >= since)
        .order_by(QuestionRow.id.desc())
        .limit(_LOOKED_AT)
    )
    return tuple(session.scalars(wanted))


def standing_answers(session: Session, since: datetime) -> tuple[int, int]:
    """Return how many answers rest on documents, and how many of them nobody found wrong.

    Found wrong is what was voted down, or corrected with a pair that was not rejected.
    """
    grounded = (AnswerRow.status == "grounded", AnswerRow.created_at >= since)
    wrong = or_(
        AnswerRow.id.in_(select(VoteRow.answer_id).where(VoteRow.value < 0)),
        AnswerRow.id.in_(
            select(PairRow.answer_id).where(
                PairRow.answer_id.is_not(None), PairRow.state != "rejected"
            )
        ),
    )
    everything = select(func.count()).select_from(AnswerRow)
    return (
        int(session.scalars(everything.where(*grounded)).one()),
        int(session.scalars(everything.where(*grounded, ~wrong)).one()),
    )
