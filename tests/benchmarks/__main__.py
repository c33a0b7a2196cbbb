"""`make bench`: speed against named peers in one run, as ratios, printed and saved as JSON."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import asking_speed, search_latency, swapping
from tests.benchmarks.measurement import Measurement

RESULTS = Path("bench-results")


def main() -> None:
    """Run every benchmark."""
    show_and_save([*asking_speed.measure(), *search_latency.measure(), *swapping.measure()])


def show_and_save(measured: list[Measurement]) -> None:
    """Print a table and keep the figures."""
    table = Table(title="Speed against peers, one run on this machine")
    for column in ("benchmark", "who", "figure", "unit", "ratio to the peer"):
        table.add_column(column)
    for item in measured:
        table.add_row(
            item.benchmark, item.who, f"{item.figure:.1f}", item.unit, f"{item.ratio:.2f}"
        )
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%S}.json"
    content = {
        "measured_at": now.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
        "results": [item.__dict__ for item in measured],
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    Console().print(f"Saved as {path}.")


if __name__ == "__main__":
    main()
