"""How long a search takes over 2,000 passages, against the dense leg of Chroma alone.

The peer does less (no words, no fusion, no last check in SQL), so our ratio is below 1: it says
what those safeguards cost.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from knowledge.embedder import MiniLmEmbedder
from tests.benchmarks.measurement import Measurement
from tests.knowledge.house import house_in

PAGES, SECTIONS, QUERIES = 100, 20, 60


def measure() -> list[Measurement]:
    """Make a handbook, read it in, and search it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_pages(folder / "pages")
        house = house_in(folder / "home", MiniLmEmbedder())
        house.ingest(folder / "pages")
        queries = [f"how many {_thing(n)} may I keep in room {n}?" for n in range(QUERIES)]
        ours = _median(lambda query: house.retrieval.search(query, {"everyone"}, 5), queries)
        peer = _median(
            lambda query: house.index.query(
                "passages", "everyone", house.embedder.embed_query(query), 5
            ),
            queries,
        )
        house.close()
    benchmark = f"search over {PAGES * SECTIONS:,} passages, median"
    return [
        Measurement(benchmark, "peer: Chroma alone (embed and query)", peer, "ms", 1.0),
        Measurement(benchmark, "Skredder (fused, checked in SQL)", ours, "ms", peer / ours),
    ]


def _median(search: object, queries: list[str]) -> float:
    assert callable(search)
    taken = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken[5:])


def _thing(n: int) -> str:
    return ("tents", "skis", "ropes", "stoves", "maps", "boots", "sledges")[n % 7] + f" of kind {n}"


def _write_pages(folder: Path) -> None:
    folder.mkdir()
    for page in range(PAGES):
        sections = "\n\n".join(
            f"## Rule {page}-{n}\n\nIn room {page * SECTIONS + n} you may keep {n + 2} "
            f"{_thing(page + n)} for {page + 3} days; ask colleague number {page * n} first."
            for n in range(SECTIONS)
        )
        (folder / f"page-{page}.md").write_text(f"# Page {page}\n\n{sections}\n", encoding="utf-8")
