"""`kill -9` at random moments of a sync: nothing twice, nothing missing, index and SQL agree."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from knowledge.embedder import MiniLmEmbedder
from knowledge.examination import examine
from knowledge.reconciliation import reconcile
from storage import documents
from tests.knowledge.house import House, house_in

#: How often a sync is killed; `make test-long` does it fifty times.
KILLS = 50 if os.environ.get("SKREDDER_LONG") else 6

FILES = 40


def _write(folder: Path, number: int, edition: int) -> None:
    sections = "\n\n".join(
        f"## Part {part}\n\nRope {number}, part {part}, edition {edition}: it is "
        f"{number * 10 + part} metres long and hangs on hook {edition} in the yard."
        for part in range(3)
    )
    (folder / f"{number:02}.md").write_text(f"# Rope {number}\n\n{sections}\n")


def _change(folder: Path, edition: int, chance: random.Random) -> None:
    """Change a third of the files, take a few away, put a few back."""
    for number in chance.sample(range(FILES), FILES // 3):
        _write(folder, number, edition)
    for number in chance.sample(range(FILES), 2):
        (folder / f"{number:02}.md").unlink(missing_ok=True)


def _sync_and_kill(home: Path, folder: Path, cache: Path, delay: float) -> bool:
    """Start a sync and kill it. Return whether it had ended before."""
    command = [sys.executable, "-m", "tests.knowledge.sync_child", home, folder, cache]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        return "done" in child.stdout.read()


def _served(house: House) -> dict[str, str]:
    """Return what is served of each document, as one text."""
    with house.database.read() as session:
        ids = documents.served_ids(session, "everyone")
        found = documents.passages_by_ids(session, ids, {"everyone"})
    texts: dict[str, list[tuple[int, str]]] = {}
    for passage in found.values():
        texts.setdefault(passage.uri, []).append((passage.ordinal, passage.text))
    return {uri: "\n".join(text for _, text in sorted(parts)) for uri, parts in texts.items()}


def test_a_sync_killed_anywhere_leaves_every_page_in_one_edition_and_goes_on(
    tmp_path: Path, embedder: MiniLmEmbedder, embedder_cache: Path
) -> None:
    chance = random.Random(11)
    folder, home = tmp_path / "pages", tmp_path / "home"
    folder.mkdir()
    for number in range(FILES):
        _write(folder, number, 0)
    killed_midway = 0
    longest = 1.2
    for edition in range(1, KILLS + 1):
        before = {path.name for path in folder.iterdir()}
        had_ended = _sync_and_kill(home, folder, embedder_cache, chance.uniform(0, longest))
        longest *= 0.6 if had_ended else 1.1  # as quick as this machine is now
        killed_midway += not had_ended
        house = house_in(home, embedder)
        reconcile(house.database, house.indexes)
        assert all(each.is_sound for each in examine(house.database, house.indexes, edition))
        for uri, text in _served(house).items():
            editions = {part.split("edition ")[1].split(":")[0] for part in text.splitlines()}
            assert len(editions) == 1, f"{uri} is served in two editions: {editions}"
        with house.database.read() as session:
            assert documents.unserved_passages(session) == ()
        house.close()
        assert {path.name for path in folder.iterdir()} == before
        _change(folder, edition, chance)
    assert killed_midway >= KILLS // 2, "most kills came too late to matter"
    house = house_in(home, embedder)
    house.ingest(folder)
    report = house.ingest(folder)
    assert (report.added, report.changed, report.deleted, report.skipped) == (0, 0, 0, ())
    served = _served(house)
    assert set(served) == {path.name for path in folder.iterdir()}
    for uri, text in served.items():
        written = (folder / uri).read_text()
        assert all(line in written for line in text.splitlines())
    assert all(each.is_sound for each in examine(house.database, house.indexes))
    house.close()
