"""Snapshots: which frozen dataset holds which pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.runs import CHALLENGE
from storage.tables import RunRow, SnapshotPairRow, SnapshotRow


@dataclass(frozen=True)
class SnapshotRecord:
    """A frozen dataset, as SQL knows it."""

    id: int
    digest: str
    prompt_version: str
    seed: int
    train_pairs: int
    held_out_pairs: int
    replay_rows: int
    created_at: datetime


def register(
    session: Session,
    digest: str,
    *,
    prompt_version: str,
    seed: int,
    train: Sequence[int],
    held_out: Sequence[int],
    replay_rows: int,
) -> SnapshotRecord:
    """Store a snapshot with its pairs; the same digest a second time stores nothing.

    Args:
        session: A writing transaction.
        digest: SHA-256 of the file of rows.
        prompt_version: How the rows were rendered.
        seed: What they were drawn with.
        train: Ids of the pairs to learn from.
        held_out: Ids of the pairs to measure with.
        replay_rows: How many general examples are among the training rows.
    """
    made = insert_once(
        session,
        SnapshotRow,
        digest=digest,
        prompt_version=prompt_version,
        seed=seed,
        train_pairs=len(train),
        held_out_pairs=len(held_out),
        replay_rows=replay_rows,
        created_at=utc_now(),
    )
    if made is not None:
        session.add_all(
            SnapshotPairRow(snapshot_id=made, pair_id=pair_id, split=split)
            for split, ids in (("train", train), ("held_out", held_out))
            for pair_id in ids
        )
        session.flush()
    row = session.scalars(select(SnapshotRow).where(SnapshotRow.digest == digest)).one()
    return _record(row)


def get(session: Session, snapshot_id: int) -> SnapshotRecord:
    """Return one snapshot. Raises sqlalchemy's `NoResultFound` when there is none."""
    return _record(session.get_one(SnapshotRow, snapshot_id))


def pair_ids(session: Session, snapshot_id: int, split: str) -> tuple[int, ...]:
    """Return the pairs on one side of a snapshot, `train` or `held_out`."""
    return tuple(
        session.scalars(
            select(SnapshotPairRow.pair_id)
            .where(SnapshotPairRow.snapshot_id == snapshot_id, SnapshotPairRow.split == split)
            .order_by(SnapshotPairRow.pair_id)
        )
    )


def pairs_in_last(session: Session) -> frozenset[int]:
    """Return the pairs that the last measured training had; none before the first.

    Pairs that came after it are what makes the next training worth while. A run that failed or
    was cancelled used up nothing, nor did another base model that challenged and does not answer.
    """
    counts = or_(RunRow.state == "promoted", RunRow.period_key.not_like(f"{CHALLENGE}%"))
    last = session.scalar(
        select(RunRow.snapshot_id)
        .where(RunRow.state.in_(("passed", "promoted", "refused")), counts)
        .order_by(RunRow.id.desc())
        .limit(1)
    )
    if last is None:
        return frozenset()
    return frozenset(
        session.scalars(select(SnapshotPairRow.pair_id).where(SnapshotPairRow.snapshot_id == last))
    )


def _record(row: SnapshotRow) -> SnapshotRecord:
    return SnapshotRecord(
        row.id,
        row.digest,
        row.prompt_version,
        row.seed,
        row.train_pairs,
        row.held_out_pairs,
        row.replay_rows,
        row.created_at,
    )
