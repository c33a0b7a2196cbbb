from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge.keyword_index import KeywordEntry
from knowledge.reconciliation import Reconciliation, rebuild, reconcile
from storage import documents
from storage.failpoints import KILLED, VARIABLE

if TYPE_CHECKING:
    from tests.knowledge.conftest import Write
    from tests.knowledge.house import House

ROOT = Path(__file__).parents[2]

INGEST = """
import sys
from pathlib import Path
from knowledge.embedder import MiniLmEmbedder
from knowledge.indexing import Indexes
from knowledge.ingest import Ingestion
from knowledge.keyword_index import KeywordIndex
from knowledge.passage_index import PassageIndex
from storage.database import Database
home, pages, cache = map(Path, sys.argv[1:])
database = Database(f"sqlite:///{home / 'skredder.db'}")
embedder = MiniLmEmbedder(cache)
indexes = Indexes(
    PassageIndex(home / "index", embedder.name),
    KeywordIndex(home / "index" / "keywords.db"),
    embedder,
)
Ingestion(database, indexes).ingest(pages, "everyone")
"""


def _served(house: House) -> dict[str, str]:
    """Return every served text by its id, after checking that both indexes hold the same."""
    with house.database.read() as session:
        assert documents.unserved_passages(session) == ()
        ids = documents.served_ids(session, "everyone")
        found = documents.passages_by_ids(session, ids, ["everyone"])
    assert house.index.ids("passages", "everyone") == ids
    assert house.keywords.ids("everyone") == ids
    return {id: passage.text for id, passage in found.items()}


def test_nothing_is_done_when_all_agree(house: House, pages: Path) -> None:
    house.ingest(pages)
    assert reconcile(house.database, house.indexes) == Reconciliation(0, 0, 0)


def test_what_an_index_lost_is_restored_and_what_it_kept_too_long_is_removed(
    house: House, pages: Path
) -> None:
    house.ingest(pages)
    before = _served(house)
    first, second, third, *_ = sorted(before)
    house.index.delete("passages", "everyone", [first])
    house.keywords.delete("everyone", [second])
    vector = house.embedder.embed_passages(["stale"])
    house.index.upsert("passages", "everyone", ["stale"], vector)
    house.index.upsert("passages", "channel:gone", ["stale"], vector)
    house.keywords.add("everyone", [KeywordEntry("stale-too", "Stale", third)])
    house.keywords.add("channel:gone", [KeywordEntry("stale-too", "Stale", third)])
    assert reconcile(house.database, house.indexes) == Reconciliation(0, removed=4, restored=2)
    assert _served(house) == before
    assert house.index.ids("passages", "channel:gone") == frozenset()
    assert house.keywords.ids("channel:gone") == frozenset()


def test_both_indexes_come_back_after_their_folder_was_lost(
    tmp_path: Path, pages: Path, open_house: Callable[[Path], House]
) -> None:
    house = open_house(tmp_path / "home")
    house.ingest(pages)
    before = _served(house)
    house.close()
    (tmp_path / "home" / "index").rename(tmp_path / "moved away")
    again = open_house(tmp_path / "home")
    assert again.found("parental leave") == []
    reconcile(again.database, again.indexes)
    assert _served(again) == before
    assert again.found("parental leave")[0] == "leave.md"


def test_a_rebuild_fills_both_indexes_from_sql_and_leaves_verified_answers(
    house: House, pages: Path
) -> None:
    house.ingest(pages)
    before = _served(house)
    house.index.upsert(
        "verified", "everyone", ["pair-1"], house.embedder.embed_passages(["A question?"])
    )
    house.index.delete("passages", "everyone", sorted(before)[:2])
    told: list[tuple[int, int, str]] = []
    assert rebuild(house.database, house.indexes, lambda *step: told.append(step)) == len(before)
    assert _served(house) == before
    assert told[-1] == (len(before), len(before), "everyone")
    assert house.index.ids("verified", "everyone") == {"pair-1"}


@pytest.fixture
def kill_a_sync(
    tmp_path: Path,
    pages: Path,
    write: Write,
    embedder_cache: Path,
    open_house: Callable[[Path], House],
) -> Callable[[str], House]:
    """Changes, adds and removes a page, kills the sync at a failpoint, and opens the house."""

    def kill_it(failpoint: str) -> House:
        home = tmp_path / "home"
        house = open_house(home)
        house.ingest(pages)
        house.close()
        write(pages / "leave.md", "# Leave\n\nEvery parent gets 20 weeks of parental leave.")
        write(pages / "new.md", "# Parking\n\nCars stand behind the workshop.")
        (pages / "travel.md").unlink()
        ended = subprocess.run(
            [sys.executable, "-c", INGEST, str(home), str(pages), str(embedder_cache)],
            env=os.environ | {VARIABLE: failpoint},
            cwd=ROOT,
            check=False,
            capture_output=True,
        )
        assert ended.returncode == KILLED, ended.stderr.decode()
        return open_house(home)

    return kill_it


@pytest.mark.parametrize(
    ("failpoint", "served", "gone"),
    [
        ("ingest.written", "18 weeks", "20 weeks"),
        ("ingest.vectors_stored", "18 weeks", "20 weeks"),
        ("ingest.indexed", "18 weeks", "20 weeks"),
        ("ingest.served", "20 weeks", "18 weeks"),
        ("ingest.withdrawn", "20 weeks", "18 weeks"),
    ],
)
def test_a_sync_killed_anywhere_loses_nothing_and_the_next_one_goes_on(
    kill_a_sync: Callable[[str], House], pages: Path, failpoint: str, served: str, gone: str
) -> None:
    house = kill_a_sync(failpoint)
    hits = house.retrieval.search("parental leave weeks", {"everyone"}, 5)
    assert served in hits[0].text
    assert not any(gone in hit.text for hit in hits)

    reconcile(house.database, house.indexes)
    _served(house)
    house.ingest(pages)
    texts = list(_served(house).values())
    assert sorted(text.split()[0] for text in texts) == ["Cars", "Du", "Every"]
    assert any("20 weeks" in text for text in texts)
    report = house.ingest(pages)
    assert (report.added, report.changed, report.unchanged, report.deleted) == (0, 0, 3, 0)
