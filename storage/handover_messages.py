"""Where the message stands that asked people for an answer to a question."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import jobs
from storage.tables import JobRow, OutboxRow

#: What the message is called among those that a job owes.
PURPOSE = "handover"


@dataclass(frozen=True)
class HandoverMessage:
    """A channel and the `ts` of the message in it."""

    channel: str
    ts: str


def enqueue(session: Session, question_id: int, team_id: str) -> None:
    """Have people asked, once for each question."""
    job = {"question_id": question_id, "team_id": team_id}
    jobs.enqueue(session, "hand_over", job, key=_key(question_id))


def of_question(session: Session, question_id: int) -> HandoverMessage | None:
    """Return where people were asked; None if they were not, or not yet."""
    row = session.scalar(
        select(OutboxRow)
        .join(JobRow, JobRow.id == OutboxRow.job_id)
        .where(JobRow.key == _key(question_id), OutboxRow.purpose == PURPOSE)
    )
    return None if row is None or row.ts is None else HandoverMessage(row.channel, row.ts)


def _key(question_id: int) -> str:
    return f"hand_over:{question_id}"
