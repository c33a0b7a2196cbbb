"""The questions that a challenger is measured on for which nothing was trained here."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from storage import pairs, runs, snapshots
from storage.database import Database
from storage.pairs import Pair
from storage.versions import Version
from training.prompt import PROMPT_VERSION
from training.rows import RowMaker, order_of
from training.run_failures import RunImpossible
from training.snapshot import (
    HeldOutLeaked,
    Snapshot,
    SnapshotBroken,
    build_snapshot,
    read_snapshot,
)

log = logging.getLogger(__name__)

#: From more training pairs than this, so many are drawn to learn the voice from.
VOICE_PAIRS = 500


def questions_for(
    champion: Version, database: Database, folder: Path, *, make: RowMaker, fewest: int, base: str
) -> Snapshot:
    """Return the snapshot whose held-out rows champion and challenger are asked.

    It is the one that the champion itself was measured on, as far as its pairs may still be used.
    If there is none, if its file is gone, if questions are rendered otherwise by now, or if too
    few of them are left, the pairs of today are frozen.

    Args:
        champion: The version that answers.
        database: Where runs, snapshots and pairs are.
        folder: Where snapshots are kept.
        make: Renders pairs.
        fewest: Fewer held-out pairs prove nothing.
        base: The name of the base model in use.

    Raises:
        RunImpossible: there are fewer held-out pairs.
    """
    approved = usable_pairs(database, fewest)
    with database.read() as session:
        run = None if champion.run_id is None else runs.get(session, champion.run_id)
        used = None if run is None else run.snapshot_id
        digest = None if used is None else snapshots.get(session, used).digest
    held_out = [pair for pair in approved if pair.is_held_out]
    if digest is not None:
        kept = _still_usable(digest, folder, {pair.id for pair in held_out})
        if kept is not None and len(kept.held_out) >= fewest:
            return kept
        log.info("pairs are frozen anew version=%s snapshot=%s", champion.name, digest[:12])
    learned = sorted(
        (pair for pair in approved if not pair.is_held_out),
        key=lambda pair: order_of(pair, "pair", make.recipe.seed),
    )
    recipe = replace(make.recipe, replay_share=0.0)  # nothing is rehearsed where nothing is learned
    return build_snapshot(
        [*held_out, *learned[:VOICE_PAIRS]],
        (),
        folder=folder,
        base=base,
        make=replace(make, recipe=recipe),
    )


def usable_pairs(database: Database, fewest: int) -> tuple[Pair, ...]:
    """Return the pairs that may train or measure.

    Raises:
        RunImpossible: fewer than `fewest` of them are held out.
    """
    with database.read() as session:
        found = pairs.for_snapshot(session)
    if (count := sum(pair.is_held_out for pair in found)) < fewest:
        raise RunImpossible(
            f"There are {count} held-out pairs, and fewer than {fewest} prove nothing. Gather more "
            "first; about one approved pair in six is held out."
        )
    return found


def _still_usable(digest: str, folder: Path, held_out: set[int]) -> Snapshot | None:
    """Return a snapshot without the held-out rows of other pairs; None if it is of no use."""
    try:
        found = read_snapshot(folder / f"{digest}.jsonl", digest)
    except (SnapshotBroken, HeldOutLeaked) as broken:
        log.warning("snapshot is not used: %s", broken)
        return None
    if found.prompt_version != PROMPT_VERSION:
        return None
    rows = [row for row in found.rows if row.split == "train" or row.pair_id in held_out]
    return replace(found, rows=tuple(rows))
