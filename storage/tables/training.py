"""Snapshots, runs, versions and promotions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class SnapshotRow(Table):
    """A frozen dataset. `digest` is the SHA-256 of its file of rows."""

    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    prompt_version: Mapped[str]
    seed: Mapped[int]
    train_pairs: Mapped[int]
    held_out_pairs: Mapped[int]
    replay_rows: Mapped[int]
    created_at: Mapped[datetime]


class SnapshotPairRow(Table):
    """Which pair lies on which side of a snapshot."""

    __tablename__ = "snapshot_pairs"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"), primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), primary_key=True)
    split: Mapped[str]


class RunRow(Table):
    """One training. `period_key` is unique, so that two schedulers start one run."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    period_key: Mapped[str] = mapped_column(unique=True)
    #: queued, preparing, training, merging, evaluating, paused; then passed or refused by the
    #: gate, failed, cancelled; promoted once a passed version answers
    state: Mapped[str] = mapped_column(index=True)
    #: NULL when finished, 1 while open: unique, so that there is never a second open run.
    open_slot: Mapped[int | None] = mapped_column(unique=True)
    requested_by: Mapped[str]
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"))
    version_id: Mapped[int | None]
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    loss: Mapped[float | None]
    tokens_per_second: Mapped[float | None]
    seconds_left: Mapped[float | None]
    message: Mapped[str] = mapped_column(Text, default="")
    report: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    #: Who wishes the run to end; it does so at its next step.
    cancelled_by: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class VersionRow(Table):
    """A model that can answer: the base, or base plus adapter. Files are under `folder`."""

    __tablename__ = "versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"), unique=True)
    folder: Mapped[str | None]
    manifest_sha256: Mapped[str | None]
    #: candidate (not measured yet), passed, refused, overridden (by an admin, with a reason)
    gate: Mapped[str]
    created_at: Mapped[datetime]
    #: Since when it can never answer again; its files are gone then, or on their way.
    retired_at: Mapped[datetime | None]
    #: The base model it belongs to; NULL where it was made before that was written down.
    base_ref: Mapped[str | None]
    base_name: Mapped[str | None]
    base_sha256: Mapped[str | None]


class ServingRow(Table):
    """One row: which version answers. Moved only by compare-and-swap on `revision`."""

    __tablename__ = "serving"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("versions.id"))
    previous_version_id: Mapped[int | None] = mapped_column(ForeignKey("versions.id"))
    revision: Mapped[int]
    changed_at: Mapped[datetime]


class PromotionRow(Table):
    """A change of champion: who, when, why."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("versions.id"))
    previous_version_id: Mapped[int | None] = mapped_column(ForeignKey("versions.id"))
    kind: Mapped[str]  # promote, override, rollback
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
