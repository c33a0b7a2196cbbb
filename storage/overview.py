"""Counts for those who watch: what App Home and `train status` show."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from storage import answers, pairs, questions, votes
from storage.pairs import Pair


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
