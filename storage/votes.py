"""Votes: saved the moment a button is pressed; a person's last press counts."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import VoteRow


def cast(session: Session, answer_id: int, user_id: str, value: int) -> None:
    """Store a vote of 1 or -1, or change the one this person gave before.

    Raises:
        ValueError: `value` is neither 1 nor -1.
    """
    if value not in (1, -1):
        raise ValueError(f"A vote is 1 or -1, not {value}.")
    made = insert_once(
        session, VoteRow, answer_id=answer_id, user_id=user_id, value=value, created_at=utc_now()
    )
    if made is None:
        row = session.scalars(
            select(VoteRow).where(VoteRow.answer_id == answer_id, VoteRow.user_id == user_id)
        ).one()
        row.value, row.created_at = value, utc_now()


def totals(session: Session) -> tuple[int, int]:
    """Return how many votes are up and how many are down."""
    counted = {
        int(value): int(count)
        for value, count in session.execute(
            select(VoteRow.value, func.count()).group_by(VoteRow.value)
        )
    }
    return counted.get(1, 0), counted.get(-1, 0)
