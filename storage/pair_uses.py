"""What pairs were used for: the snapshots that hold them, the runs on those, and the versions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.tables import PairRow, RunRow, ServingRow, SnapshotPairRow, SnapshotRow, VersionRow


@dataclass(frozen=True)
class SnapshotUse:
    """A snapshot that holds some of the pairs, and how many on each side."""

    id: int
    digest: str
    train: int
    held_out: int
    created_at: datetime


@dataclass(frozen=True)
class RunUse:
    """A run on such a snapshot."""

    id: int
    state: str
    snapshot_id: int
    is_open: bool


@dataclass(frozen=True)
class VersionUse:
    """A version that such a run made. `is_serving` is whether it answers now."""

    name: str
    run_id: int
    gate: str
    folder: str | None
    is_serving: bool


@dataclass(frozen=True)
class Uses:
    """Everything that some pairs were used for."""

    snapshots: tuple[SnapshotUse, ...] = ()
    runs: tuple[RunUse, ...] = ()
    versions: tuple[VersionUse, ...] = ()

    @property
    def is_served_from(self) -> bool:
        """Whether a version that learned from a snapshot with these pairs answers now."""
        return any(version.is_serving for version in self.versions)


def uses_of(session: Session, pair_ids: Collection[int]) -> Uses:
    """Return what these pairs were used for, oldest first."""
    counted: dict[int, dict[str, int]] = {}
    ids = sorted(pair_ids)
    for start in range(0, len(ids), 500):
        for snapshot_id, split, count in session.execute(
            select(SnapshotPairRow.snapshot_id, SnapshotPairRow.split, func.count())
            .where(SnapshotPairRow.pair_id.in_(ids[start : start + 500]))
            .group_by(SnapshotPairRow.snapshot_id, SnapshotPairRow.split)
        ):
            sides = counted.setdefault(int(snapshot_id), {})
            sides[split] = sides.get(split, 0) + int(count)
    if not counted:
        return Uses()
    snapshots = session.scalars(
        select(SnapshotRow).where(SnapshotRow.id.in_(counted)).order_by(SnapshotRow.id)
    )
    runs = session.scalars(
        select(RunRow).where(RunRow.snapshot_id.in_(counted)).order_by(RunRow.id)
    ).all()
    versions = session.scalars(
        select(VersionRow)
        .where(VersionRow.run_id.in_([run.id for run in runs]))
        .order_by(VersionRow.id)
    ).all()
    serving = session.scalar(select(ServingRow.version_id).limit(1))
    return Uses(
        snapshots=tuple(
            SnapshotUse(
                row.id,
                row.digest,
                counted[row.id].get("train", 0),
                counted[row.id].get("held_out", 0),
                row.created_at,
            )
            for row in snapshots
        ),
        runs=tuple(
            RunUse(row.id, row.state, row.snapshot_id or 0, row.open_slot is not None)
            for row in runs
        ),
        versions=tuple(
            VersionUse(
                row.name,
                row.run_id or 0,
                "retired" if row.retired_at else row.gate,
                row.folder,
                row.id == serving,
            )
            for row in versions
        ),
    )


def snapshots_beginning_with(session: Session, digest: str) -> tuple[tuple[int, str], ...]:
    """Return id and digest of the snapshots whose digest begins so, oldest first."""
    rows = session.execute(
        select(SnapshotRow.id, SnapshotRow.digest)
        .where(SnapshotRow.digest.startswith(digest, autoescape=True))
        .order_by(SnapshotRow.id)
    )
    return tuple((int(snapshot_id), str(found)) for snapshot_id, found in rows)


def pairs_of_author(session: Session, author: str) -> dict[str, tuple[int, ...]]:
    """Return the ids of all pairs that one author wrote, by state."""
    found: dict[str, list[int]] = {}
    for pair_id, state in session.execute(
        select(PairRow.id, PairRow.state).where(PairRow.author == author).order_by(PairRow.id)
    ):
        found.setdefault(state, []).append(int(pair_id))
    return {state: tuple(ids) for state, ids in found.items()}
