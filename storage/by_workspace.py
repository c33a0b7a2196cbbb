"""What is told in one Slack workspace: its own questions, answers, votes and handovers.

Ids of channels and messages hold within a workspace only, so whoever looks something up by them
says in which. `teams` are the ids that mean one workspace: the home one has an empty id, too, for
what was asked on the command line.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from storage import answers, handovers
from storage.answers import Answer
from storage.clock import utc_now
from storage.handovers import Handover
from storage.overview import Day, Overview
from storage.tables import AnswerRow, QuestionRow, VoteRow
from storage.tables.conversation import HandoverRow

Teams = Collection[str]


def counted(session: Session, seen: Overview, teams: Teams) -> Overview:
    """Return an overview that counts the questions, answers and votes of one workspace only."""
    by_status = session.execute(
        select(AnswerRow.status, func.count()).where(_asked_in(teams)).group_by(AnswerRow.status)
    ).all()
    by_vote = {
        int(value): int(count)
        for value, count in session.execute(
            select(VoteRow.value, func.count()).where(_cast_in(teams)).group_by(VoteRow.value)
        )
    }
    asked = select(func.count()).select_from(QuestionRow).where(QuestionRow.team_id.in_(teams))
    return replace(
        seen,
        questions=int(session.scalars(asked).one()),
        answers_by_status=dict.fromkeys(answers.STATUSES, 0)
        | {status: int(count) for status, count in by_status},
        votes_up=by_vote.get(1, 0),
        votes_down=by_vote.get(-1, 0),
    )


def per_day(session: Session, days: int, teams: Teams) -> tuple[Day, ...]:
    """Return the last `days` days of one workspace, oldest first."""
    today, since = utc_now().date(), utc_now() - timedelta(days=days)
    counts = {today - timedelta(days=n): [0, 0, 0] for n in range(days)}
    given = select(AnswerRow.status, AnswerRow.created_at).where(AnswerRow.created_at >= since)
    for status, moment in session.execute(given.where(_asked_in(teams))):
        place = {"verified": 0, "grounded": 0, "abstained": 1}.get(status)
        if place is not None and moment.date() in counts:
            counts[moment.date()][place] += 1
    against = select(VoteRow.created_at).where(VoteRow.created_at >= since, VoteRow.value < 0)
    for moment in session.scalars(against.where(_cast_in(teams))):
        if moment.date() in counts:
            counts[moment.date()][2] += 1
    return tuple(Day(day, *counts[day]) for day in sorted(counts))


def abstained(session: Session, since: datetime, teams: Teams) -> tuple[tuple[str, datetime], ...]:
    """Return the questions of one workspace that found nothing, with when they were asked."""
    rows = session.execute(
        select(QuestionRow.text, QuestionRow.created_at)
        .join(AnswerRow, AnswerRow.question_id == QuestionRow.id)
        .where(
            QuestionRow.team_id.in_(teams),
            AnswerRow.status == "abstained",
            QuestionRow.created_at >= since,
            QuestionRow.text != "",  # erased
        )
        .order_by(QuestionRow.id)
    )
    return tuple((str(text), asked_at) for text, asked_at in rows)


def waiting(session: Session, teams: Teams, limit: int) -> tuple[Handover, ...]:
    """Return the questions of one workspace that wait for people, the longest first."""
    asked = session.scalars(
        select(HandoverRow.question_id)
        .join(QuestionRow, QuestionRow.id == HandoverRow.question_id)
        .where(QuestionRow.team_id.in_(teams), HandoverRow.state == "waiting")
        .order_by(HandoverRow.id)
        .limit(limit)
    ).all()
    found = (handovers.of_question(session, question_id) for question_id in asked)
    return tuple(one for one in found if one is not None)


def answer_in_message(session: Session, teams: Teams, channel: str, ts: str) -> Answer | None:
    """Return the answer that stands in a message of one workspace."""
    found = session.scalar(
        select(AnswerRow.id).where(
            AnswerRow.channel == channel, AnswerRow.message_ts == ts, _asked_in(teams)
        )
    )
    return None if found is None else answers.get(session, found)


def answer_in_thread(session: Session, teams: Teams, channel: str, ts: str) -> Answer | None:
    """Return the newest answer in a thread that was one: not a plain reason why there is none."""
    found = session.scalar(
        select(AnswerRow.id)
        .join(QuestionRow, QuestionRow.id == AnswerRow.question_id)
        .where(
            QuestionRow.team_id.in_(teams),
            QuestionRow.channel == channel,
            QuestionRow.thread_ts == ts,
            AnswerRow.status != "failed",
        )
        .order_by(AnswerRow.id.desc())
        .limit(1)
    )
    return None if found is None else answers.get(session, found)


def team_of_answer(session: Session, answer_id: int) -> str:
    """Return the workspace in which an answer was given; empty on the command line."""
    found = session.scalar(
        select(QuestionRow.team_id)
        .join(AnswerRow, AnswerRow.question_id == QuestionRow.id)
        .where(AnswerRow.id == answer_id)
    )
    return found or ""


def _asked_in(teams: Teams) -> ColumnElement[bool]:
    """Return what holds of answers to the questions of one workspace."""
    return AnswerRow.question_id.in_(select(QuestionRow.id).where(QuestionRow.team_id.in_(teams)))


def _cast_in(teams: Teams) -> ColumnElement[bool]:
    """Return what holds of votes on answers in one workspace."""
    return VoteRow.answer_id.in_(select(AnswerRow.id).where(_asked_in(teams)))
