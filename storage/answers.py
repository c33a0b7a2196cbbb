"""Answers: the one outcome of each question, with the passages it was given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import AnswerRow, AnswerSourceRow, DocumentRow, QuestionRow

STATUSES = ("verified", "grounded", "abstained", "failed")


@dataclass(frozen=True)
class AnswerSource:
    """A passage an answer was given with; `n` is its citation number, from 1."""

    n: int
    passage_id: str
    uri: str
    title: str
    heading: str
    text: str
    audience: str
    updated_at: datetime | None
    cited: bool
    reviewed_until: datetime | None = None
    link: str | None = None


@dataclass(frozen=True)
class NewAnswer:
    """An answer as it is about to be stored. Timings are in seconds."""

    question_id: int
    status: str
    text: str
    model_version: str | None
    sources: tuple[AnswerSource, ...] = ()
    pair_id: int | None = None
    error_id: str | None = None
    timings: Mapping[str, float] | None = None
    channel: str | None = None
    message_ts: str | None = None


@dataclass(frozen=True)
class Answer:
    """An answer as it is stored."""

    id: int
    question_id: int
    status: str
    text: str
    model_version: str | None
    pair_id: int | None
    error_id: str | None
    timings: Mapping[str, float]
    channel: str | None
    message_ts: str | None
    created_at: datetime
    sources: tuple[AnswerSource, ...]


def record(session: Session, answer: NewAnswer) -> Answer:
    """Store the outcome of a question. A question that has one keeps it; that one is returned."""
    answer_id = insert_once(
        session,
        AnswerRow,
        question_id=answer.question_id,
        status=answer.status,
        text=answer.text,
        model_version=answer.model_version,
        pair_id=answer.pair_id,
        error_id=answer.error_id,
        timings=dict(answer.timings or {}),
        channel=answer.channel,
        message_ts=answer.message_ts,
        created_at=utc_now(),
    )
    if answer_id is not None:
        session.add_all(
            AnswerSourceRow(
                answer_id=answer_id,
                n=source.n,
                passage_id=source.passage_id,
                uri=source.uri,
                title=source.title,
                heading=source.heading,
                text=source.text,
                audience=source.audience,
                updated_at=source.updated_at,
                cited=source.cited,
                reviewed_until=source.reviewed_until,
                link=source.link,
            )
            for source in answer.sources
        )
        session.flush()
    stored = of_question(session, answer.question_id)
    assert stored is not None
    return stored


def stands_in(session: Session, answer_id: int, channel: str, message_ts: str) -> None:
    """Note which Slack message shows the answer."""
    session.execute(
        update(AnswerRow)
        .where(AnswerRow.id == answer_id)
        .values(channel=channel, message_ts=message_ts)
    )


def of_question(session: Session, question_id: int) -> Answer | None:
    """Return the outcome of a question, if it has one."""
    row = session.scalar(select(AnswerRow).where(AnswerRow.question_id == question_id))
    return None if row is None else _answer(session, row)


def get(session: Session, answer_id: int) -> Answer | None:
    """Return one answer, or None when there is none with this id."""
    row = session.scalar(select(AnswerRow).where(AnswerRow.id == answer_id))
    return None if row is None else _answer(session, row)


def by_message(session: Session, channel: str, message_ts: str) -> Answer | None:
    """Return the answer that stands in this Slack message."""
    row = session.scalar(
        select(AnswerRow).where(AnswerRow.channel == channel, AnswerRow.message_ts == message_ts)
    )
    return None if row is None else _answer(session, row)


def by_question_message(session: Session, channel: str, question_ts: str) -> Answer | None:
    """Return the answer to the question that was asked in this Slack message."""
    row = session.scalar(
        select(AnswerRow)
        .join(QuestionRow, QuestionRow.id == AnswerRow.question_id)
        .where(QuestionRow.channel == channel, QuestionRow.ts == question_ts)
    )
    return None if row is None else _answer(session, row)


def latest_in_thread(session: Session, channel: str, thread_ts: str) -> Answer | None:
    """Return the newest answer in a thread that was one: not a plain reason why there is none."""
    row = session.scalar(
        select(AnswerRow)
        .join(QuestionRow, QuestionRow.id == AnswerRow.question_id)
        .where(
            QuestionRow.channel == channel,
            QuestionRow.thread_ts == thread_ts,
            AnswerRow.status != "failed",
        )
        .order_by(AnswerRow.id.desc())
        .limit(1)
    )
    return None if row is None else _answer(session, row)


def owners_of(session: Session, uris: Collection[str]) -> dict[str, str]:
    """Return who owns the pages at these addresses, of those pages that have an owner."""
    rows = session.execute(
        select(DocumentRow.uri, DocumentRow.owner).where(
            DocumentRow.uri.in_(sorted(uris)), DocumentRow.owner.is_not(None)
        )
    )
    return {str(uri): str(owner) for uri, owner in rows}


def count_by_status(session: Session) -> dict[str, int]:
    """Return how many answers there are of each status."""
    counted = session.execute(
        select(AnswerRow.status, func.count()).group_by(AnswerRow.status)
    ).all()
    return dict.fromkeys(STATUSES, 0) | {status: int(count) for status, count in counted}


def abstained(session: Session, since: datetime) -> tuple[tuple[str, datetime], ...]:
    """Return the questions that found nothing, with when they were asked, oldest first."""
    rows = session.execute(
        select(QuestionRow.text, QuestionRow.created_at)
        .join(AnswerRow, AnswerRow.question_id == QuestionRow.id)
        .where(
            AnswerRow.status == "abstained",
            QuestionRow.created_at >= since,
            QuestionRow.text != "",  # erased
        )
        .order_by(QuestionRow.id)
    )
    return tuple((str(text), asked_at) for text, asked_at in rows)


def _answer(session: Session, row: AnswerRow) -> Answer:
    sources: Sequence[AnswerSourceRow] = session.scalars(
        select(AnswerSourceRow)
        .where(AnswerSourceRow.answer_id == row.id)
        .order_by(AnswerSourceRow.n)
    ).all()
    return Answer(
        id=row.id,
        question_id=row.question_id,
        status=row.status,
        text=row.text,
        model_version=row.model_version,
        pair_id=row.pair_id,
        error_id=row.error_id,
        timings=row.timings,
        channel=row.channel,
        message_ts=row.message_ts,
        created_at=row.created_at,
        sources=tuple(
            AnswerSource(
                source.n,
                source.passage_id,
                source.uri,
                source.title,
                source.heading,
                source.text,
                source.audience,
                source.updated_at,
                source.cited,
                source.reviewed_until,
                source.link,
            )
            for source in sources
        ),
    )
