"""How fast pairs are imported, checks, near-duplicates and contradictions included.

`python -m tests.benchmarks.import_speed [COUNT] [--profile]`: pairs made from the sample company's,
imported and approved into an installation that has read the handbook; then the same file again,
which must change nothing. The result is in bench-results/import_speed.json.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from storage import pair_ledger
from storage.database import Database
from tests.benchmarks.asking_stage import open_company
from tests.benchmarks.many_pairs import write_many_pairs

RESULT = Path("bench-results/import_speed.json")

#: What the issue asks for: seconds for 5,000 on two cores.
WANTED = 60.0


@dataclass(frozen=True)
class Imported:
    """One import of the file: how long it took, and what it did.

    Attributes:
        processor_seconds: Of all threads. The model reads questions beside the thread that writes.
        writer_seconds: Of the thread that writes alone: no import is faster, on however many cores.
    """

    seconds: float
    processor_seconds: float
    writer_seconds: float
    pairs_a_second: float
    statements_a_pair: float
    added: int
    known: int
    held: int


class Statements:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        """Begin at none."""
        self.count = 0
        event.listen(Engine, "before_cursor_execute", self._one_more)

    def _one_more(self, *_: Any) -> None:
        self.count += 1


def measure(run: Callable[[], dict[str, Any]], count: int, statements: Statements) -> Imported:
    """Import once, and say what it took."""
    before, processor, writer = statements.count, time.process_time(), time.thread_time()
    began = time.perf_counter()
    report = run()
    seconds = time.perf_counter() - began
    return Imported(
        round(seconds, 2),
        round(time.process_time() - processor, 2),
        round(time.thread_time() - writer, 2),
        round(count / seconds, 1),
        round((statements.count - before) / count, 2),
        report["added"],
        report["known"],
        report["held"],
    )


def books(database: Database) -> dict[str, Any]:
    """Return what can be counted, and where the audit log counts otherwise."""
    with database.read() as session:
        return asdict(pair_ledger.count(session)) | {
            "differences": pair_ledger.differences(session)
        }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=5000)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    arguments = parser.parse_args()
    statements = Statements()
    with tempfile.TemporaryDirectory() as folder, open_company(Path(folder)) as skredder:
        file = Path(folder) / "many.jsonl"
        write_many_pairs(file, arguments.count)
        skredder.corrections.warm()

        def run() -> dict[str, Any]:
            report = skredder.pair_import.run(file, actor="benchmark", approve=True)
            return {"added": report.added, "known": report.known, "held": report.held}

        profile = cProfile.Profile() if arguments.profile else None
        with profile or nullcontext():
            first = measure(run, arguments.count, statements)
        counted = books(skredder.database)
        second = measure(run, arguments.count, statements)
        same = counted == books(skredder.database)
    result = {
        "pairs": arguments.count,
        "cores": len(os.sched_getaffinity(0)),
        "first": asdict(first),
        "second": asdict(second),
        "books_after_the_first": counted,
        "second_changed_nothing": same,
        "seconds_wanted_for_5000": WANTED,
    }
    text = json.dumps(result, indent=2)
    print(text)
    if profile is not None:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
