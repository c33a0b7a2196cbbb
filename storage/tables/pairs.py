"""Pairs: questions with right answers, their sources, and the groups that keep the split clean."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class PairGroupRow(Table):
    """Near-duplicate questions. The split is drawn once and never changes.

    A group that was merged into another points to it, and to where that one goes when it is
    merged in turn: always to a group that stands for itself.
    """

    __tablename__ = "pair_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    split: Mapped[str]  # train, held_out
    merged_into_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[datetime]


class PairRow(Table):
    """An input with its right output. Nothing is overwritten: a new text is a new pair."""

    __tablename__ = "pairs"
    __table_args__ = (Index("ix_pairs_state_audience", "state", "audience"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    input: Mapped[str] = mapped_column(Text)
    input_key: Mapped[str] = mapped_column(index=True)
    output: Mapped[str] = mapped_column(Text)
    context: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str]
    audience: Mapped[str]
    state: Mapped[str]  # proposed, approved, rejected, revoked, superseded
    author: Mapped[str]
    reason: Mapped[str | None]
    #: The channel it was proposed in; its approval policy is that channel's.
    place: Mapped[str | None]
    decided_by: Mapped[str | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)
    superseded_by_id: Mapped[int | None]
    origin: Mapped[str]  # slack, import, command
    origin_key: Mapped[str] = mapped_column(unique=True)
    answer_id: Mapped[int | None]
    #: Who asked, where neither an answer nor anything else of the bot's own tells.
    asked_by: Mapped[str | None]
    #: The pair whose words it was made of: edited, masked or corrected.
    derived_from_id: Mapped[int | None] = mapped_column(index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("pair_groups.id"), index=True)
    #: Why it is on neither side of the split, in words; once set it stays.
    set_aside: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    review_since: Mapped[datetime | None]
    review_reason: Mapped[str | None] = mapped_column(Text)
    #: When its texts were taken out because a person's words had to go.
    erased_at: Mapped[datetime | None]


class PairSourceRow(Table):
    """A section that a pair's output rests on, by address, so that it outlives re-indexing."""

    __tablename__ = "pair_sources"

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), index=True)
    uri: Mapped[str]
    heading: Mapped[str]


class PairHoldRow(Table):
    """A reason why a pair must not train yet, until an expert releases it with a reason."""

    __tablename__ = "pair_holds"

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None] = mapped_column(Text)


class PairApprovalRow(Table):
    """An expert's yes to a pair; some channels need two."""

    __tablename__ = "pair_approvals"
    __table_args__ = (UniqueConstraint("pair_id", "actor"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"))
    actor: Mapped[str]
    approved_at: Mapped[datetime]


class PairConflictRow(Table):
    """Two pairs whose answers cannot both be right; the hold lies on the newer one."""

    __tablename__ = "pair_conflicts"
    __table_args__ = (UniqueConstraint("older_id", "newer_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    older_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"))
    newer_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), index=True)
    hold_id: Mapped[int] = mapped_column(ForeignKey("pair_holds.id"))
    disagreement: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    outcome: Mapped[str | None]  # older, newer, both, moot
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)


class PairBandRow(Table):
    """A band of the MinHash of a pair's question: near-duplicates share at least one."""

    __tablename__ = "pair_bands"

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), index=True)
    band: Mapped[int] = mapped_column(BigInteger, index=True)


class PairTrialRow(Table):
    """What the version that answered made of a question before it could learn the right answer."""

    __tablename__ = "pair_trials"

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), unique=True)
    version: Mapped[str]
    status: Mapped[str]  # verified, grounded, abstained, failed
    overlap: Mapped[float]
    agrees: Mapped[bool]
    tried_at: Mapped[datetime]
