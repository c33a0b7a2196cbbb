"""What a thread is worth: finding the passage for a question that leans on the ones before.

    python -m tests.benchmarks.follow_ups --data ../shared/data

The conversations are mtRAG's, which people wrote; the passages that its answers rest on lie
together in one collection.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.follow_up import Asked, in_thread, leans_on_thread
from knowledge.embedder import MiniLmEmbedder
from knowledge.ingest import Ingestion
from knowledge.listing import FoundDocument, Listing
from tests.knowledge.house import House, house_in

WAYS = {
    "the question alone": lambda question, _earlier: Asked(question, None, question, question),
    "all questions of the thread": lambda question, earlier: _joined([*earlier, question]),
    "the last two": lambda question, earlier: _joined([*earlier[-1:], question]),
    "Skredder": in_thread,
}


def _joined(questions: list[str]) -> Asked:
    question = " ".join(questions)
    return Asked(question, None, question, question)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    file = parser.parse_args().data / "mtrag" / "reference_subset_with_human_evaluations.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    tasks = [task for task in content["tasks"] if task["contexts"] and len(task["input"]) > 1]
    table = Table(title=f"mtRAG, {len(tasks)} questions in the midst of a conversation")
    for column in ("searched with", "hit@1", "hit@5", "MRR", "MRR, leaning", "MRR, standing"):
        table.add_column(column, justify="left" if column == "searched with" else "right")
    with tempfile.TemporaryDirectory() as name:
        house = house_in(Path(name), MiniLmEmbedder())
        _read(house, content["documents"])
        for way, rewrite in WAYS.items():
            ranks, leaning = [], []
            for task in tasks:
                *earlier, question = [t["text"] for t in task["input"] if t["speaker"] == "user"]
                right = {f"{each['document_id']}.md" for each in task["contexts"]}
                asked = rewrite(question, earlier)
                hits = house.retrieval.search(asked.question, {"everyone"}, 20, before=asked.before)
                ranks.append(next((n for n, hit in enumerate(hits, 1) if hit.uri in right), 1000))
                leaning.append(leans_on_thread(question))
            table.add_row(
                way,
                f"{sum(rank == 1 for rank in ranks) / len(ranks):.3f}",
                f"{sum(rank <= 5 for rank in ranks) / len(ranks):.3f}",
                f"{_mrr(ranks):.3f}",
                f"{_mrr([r for r, leans in zip(ranks, leaning, strict=True) if leans]):.3f}",
                f"{_mrr([r for r, leans in zip(ranks, leaning, strict=True) if not leans]):.3f}",
            )
        house.close()
    Console().print(table)


def _read(house: House, documents: list[dict[str, Any]]) -> None:
    found = tuple(
        FoundDocument(
            f"{each['document_id']}.md", f"# {each.get('title', '')}\n\n{each['text']}".encode
        )
        for each in documents
    )
    listing = Listing("mtrag", found, (), is_complete=True)
    Ingestion(house.database, house.indexes, lambda _location: listing).ingest("", "everyone")


def _mrr(ranks: list[int]) -> float:
    return sum(1 / rank for rank in ranks if rank < 1000) / max(1, len(ranks))


if __name__ == "__main__":
    main()
