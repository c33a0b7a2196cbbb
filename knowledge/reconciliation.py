"""Bringing the indexes in line with SQL, which alone knows what is served."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from knowledge.indexing import BATCH, Indexes
from storage import documents, sources
from storage.database import Database
from storage.documents import StoredPassage

log = logging.getLogger(__name__)

#: Told how many passages are done, how many there are to do, and which audience it is about.
Progress = Callable[[int, int, str], None]


def _silently(_done: int, _all: int, _name: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Reconciliation:
    """What had to be put right, in passages.

    Attributes:
        undone: Written by work that was interrupted, never served.
        removed: In an index although SQL does not serve them.
        restored: Served by SQL but missing in an index.
    """

    undone: int
    removed: int
    restored: int


def undo_unfinished(database: Database, indexes: Indexes) -> int:
    """Take back what interrupted work wrote and never served. Return how many passages."""
    with database.read() as session:
        left = documents.unserved_passages(session)
    by_audience: dict[str, list[str]] = defaultdict(list)
    for passage in left:
        by_audience[passage.audience].append(passage.id)
    with indexes.exclusively():
        for audience, ids in by_audience.items():
            indexes.remove(audience, ids)
    if left:
        with database.write() as session:
            documents.drop_passages(session, [passage.id for passage in left])
        log.info("unfinished passages undone count=%d", len(left))
    return len(left)


def finish_removals(database: Database, indexes: Indexes) -> int:
    """Take what is left of sources that are being removed out of the indexes and of SQL."""
    with database.read() as session:
        going = sources.leaving(session)
    for source in going:
        with indexes.exclusively():
            _reconcile_audience(database, indexes, source.audience)
        with database.write() as session:
            sources.finish_removal(session, source.id)
        log.info("source removed source=%d", source.id)
    return len(going)


def reconcile(
    database: Database, indexes: Indexes, progress: Progress = _silently
) -> Reconciliation:
    """Compare SQL with both indexes, audience by audience, and repair the indexes.

    Run it at each start, before anything is answered: it finishes or undoes what a killed
    process left half done, and restores an index whose files were lost.
    """
    with indexes.exclusively():
        undone = undo_unfinished(database, indexes)
        finish_removals(database, indexes)
        with database.read() as session:
            audiences = documents.all_audiences(session)
        removed = restored = 0
        for audience in sorted(
            audiences | indexes.index.audiences("passages") | indexes.keywords.audiences()
        ):
            gone, back = _reconcile_audience(database, indexes, audience, progress)
            removed, restored = removed + gone, restored + back
    if removed or restored:
        log.warning("indexes repaired removed=%d restored=%d", removed, restored)
    return Reconciliation(undone, removed, restored)


def rebuild(
    database: Database,
    indexes: Indexes,
    progress: Progress = _silently,
) -> int:
    """Drop both indexes and fill them again from SQL. Return how many passages they hold.

    Until it is done, questions find only what is back already. Verified answers are untouched.
    """
    with indexes.exclusively():
        undo_unfinished(database, indexes)
        indexes.drop()
        with database.read() as session:
            audiences = documents.all_audiences(session)
            served = {a: sorted(documents.served_ids(session, a)) for a in sorted(audiences)}
        total = sum(len(ids) for ids in served.values())
        done = 0
        for audience, ids in served.items():
            for batch in _passages(database, audience, ids):
                indexes.add(batch)
                done += len(batch)
                progress(done, total, audience)
    return done


def _reconcile_audience(
    database: Database, indexes: Indexes, audience: str, progress: Progress = _silently
) -> tuple[int, int]:
    with database.read() as session:
        served = documents.served_ids(session, audience)
    with_vectors = indexes.index.ids("passages", audience)
    with_keywords = indexes.keywords.ids(audience)
    indexes.index.delete("passages", audience, with_vectors - served)
    indexes.keywords.delete(audience, with_keywords - served)
    lost = sorted(served - with_vectors)
    done = 0
    for batch in _passages(database, audience, lost):
        indexes.add(batch)
        done += len(batch)
        progress(done, len(lost), audience)
    for batch in _passages(database, audience, sorted(with_vectors & served - with_keywords)):
        indexes.add_keywords(audience, batch)
    extra = (with_vectors | with_keywords) - served
    missing = served - (with_vectors & with_keywords)
    return len(extra), len(missing)


def _passages(database: Database, audience: str, ids: list[str]) -> Iterable[list[StoredPassage]]:
    for start in range(0, len(ids), BATCH):
        with database.read() as session:
            batch = documents.passages_by_ids(session, ids[start : start + BATCH], {audience})
        yield list(batch.values())
