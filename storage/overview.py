"""Counts for those who watch: what App Home and `train status` show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import answers, pairs, questions, votes
from storage.clock import utc_now
from storage.pairs import Pair
from storage.tables import AnswerRow, VoteRow


@dataclass(frozen=True)
class Overview:
    """What has happened so far."""

    questions: int
    answers_by_status: dict[str, int]
    votes_up: int
    votes_down: int
    pairs_by_state: dict[str, int]
    waiting: tuple[Pair, ...]
    to_review: tuple[Pair, ...] = ()


def overview(session: Session, waiting: int = 5) -> Overview:
    """Count everything, and fetch the newest `waiting` pairs that wait for an expert."""
    up, down = votes.totals(session)
    return Overview(
        questions=questions.count(session),
        answers_by_status=answers.count_by_status(session),
        votes_up=up,
        votes_down=down,
        pairs_by_state=pairs.count_by_state(session),
        waiting=pairs.listed(session, "proposed", waiting),
        to_review=pairs.to_review(session, waiting),
    )


@dataclass(frozen=True)
class Day:
    """What one day (in UTC) brought: answers that were given, abstentions, votes against."""

    day: date
    answered: int = 0
    abstained: int = 0
    down: int = 0


def per_day(session: Session, days: int) -> tuple[Day, ...]:
    """Return the last `days` days, oldest first, those without a question included."""
    today = utc_now().date()
    counts = {today - timedelta(days=n): [0, 0, 0] for n in range(days)}
    since = utc_now() - timedelta(days=days)
    for status, moment in session.execute(
        select(AnswerRow.status, AnswerRow.created_at).where(AnswerRow.created_at >= since)
    ):
        place = {"verified": 0, "grounded": 0, "abstained": 1}.get(status)
        if place is not None and moment.date() in counts:
            counts[moment.date()][place] += 1
    for moment in session.scalars(
        select(VoteRow.created_at).where(VoteRow.created_at >= since, VoteRow.value < 0)
    ):
        if moment.date() in counts:
            counts[moment.date()][2] += 1
    return tuple(Day(day, *counts[day]) for day in sorted(counts))
