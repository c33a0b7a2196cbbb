"""Questions, the answers they got, where those came from, and what people thought of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class WorkspaceRow(Table):
    """A Slack workspace the bot is installed in."""

    __tablename__ = "workspaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    bot_user_id: Mapped[str]
    seen_at: Mapped[datetime]


class QuestionRow(Table):
    """A question. One Slack message is one question, however many events tell of it."""

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("team_id", "channel", "ts"),
        Index("ix_questions_thread", "team_id", "channel", "thread_ts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    channel: Mapped[str]
    ts: Mapped[str]
    thread_ts: Mapped[str]
    user_id: Mapped[str]
    place: Mapped[str]  # mention, dm, thread, command
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class AnswerRow(Table):
    """The one outcome of a question."""

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), unique=True)
    status: Mapped[str]  # verified, grounded, abstained, failed
    text: Mapped[str] = mapped_column(Text)
    model_version: Mapped[str | None]
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("pairs.id"))
    error_id: Mapped[str | None]
    timings: Mapped[dict[str, Any]]
    channel: Mapped[str | None]
    message_ts: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)


class AnswerSourceRow(Table):
    """A passage that an answer was given with, as it read then. `n` is the citation number."""

    __tablename__ = "answer_sources"
    __table_args__ = (UniqueConstraint("answer_id", "n"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    n: Mapped[int]
    passage_id: Mapped[str]
    uri: Mapped[str]
    title: Mapped[str]
    heading: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    audience: Mapped[str]
    updated_at: Mapped[datetime | None]
    cited: Mapped[bool]
    reviewed_until: Mapped[datetime | None]
    link: Mapped[str | None]


class VoteRow(Table):
    """What one person thought of one answer; the last press counts."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("answer_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    user_id: Mapped[str]
    value: Mapped[int]  # 1 or -1
    created_at: Mapped[datetime]


class HandoverRow(Table):
    """A question that was handed to people, because the bot could not answer it."""

    __tablename__ = "handovers"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), unique=True)
    asked_by: Mapped[str]
    asked_of: Mapped[list[str]]
    state: Mapped[str]  # waiting, answered
    answered_by: Mapped[str | None]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class StopRow(Table):
    """Somebody pressed Stop in a thread. Questions asked there until then are not gone on with."""

    __tablename__ = "stops"
    __table_args__ = (Index("ix_stops_thread", "team_id", "channel", "thread_ts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    channel: Mapped[str]
    thread_ts: Mapped[str]
    user_id: Mapped[str]
    created_at: Mapped[datetime]


class ChoiceRow(Table):
    """What somebody chose in Slack and the settings file does not say: of a channel, say."""

    __tablename__ = "choices"
    __table_args__ = (UniqueConstraint("scope", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    name: Mapped[str]
    value: Mapped[str]
    chosen_by: Mapped[str]
    chosen_at: Mapped[datetime]
