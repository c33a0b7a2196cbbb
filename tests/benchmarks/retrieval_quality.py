"""How well passages are found, in public collections, next to plainer ways and to llama-index.

    python -m tests.benchmarks.retrieval_quality cranfield scifact norquad handbook variant-no

`--data` names the folder that holds the collections. What was tuned, was tuned on the first half
of each collection's questions (and on SciFact's training questions); the second half is reported.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from knowledge.embedder import Embedder, MiniLmEmbedder
from knowledge.embedders.choice import open_embedder
from knowledge.ingest import Ingestion, list_folder
from knowledge.language import detect_language
from knowledge.listing import FoundDocument, Listing
from storage import documents
from tests.benchmarks import judged, peers
from tests.benchmarks.judged import Judged
from tests.benchmarks.peers import Search
from tests.knowledge.house import House, house_in

QUESTIONS = Path(__file__).parent / "questions"
EVERYONE = frozenset({"everyone"})

#: How deep each way of searching is looked into; enough for 100 documents of several passages.
DEPTH = 300

GRADED = ("ndcg@10", "map@100", "recall@10")
PAGES = ("hit_rate@1", "hit_rate@5", "mrr")


def read(house: House, collection: Judged, pages: Path | None) -> None:
    """Read the collection as any source is read."""

    def listing(_location: str) -> Listing:
        if pages is not None:
            return list_folder(str(pages))
        found = tuple(
            FoundDocument(f"{name}.md", text.encode) for name, text in collection.documents.items()
        )
        return Listing(collection.name, found, (), is_complete=True)

    report = Ingestion(house.database, house.indexes, listing).ingest("", "everyone")
    Console().print(
        f"{collection.name}: {report.added} documents, {report.passages} passages, "
        f"{report.passages / report.seconds:.0f} passages a second"
    )


def searches(house: House, suffix: str) -> dict[str, Search]:
    """Return keywords alone, vectors alone, and all together, each by document."""

    def by_words(question: str) -> dict[str, float]:
        language = detect_language(question)
        found = house.keywords.search_all(EVERYONE, question, language, DEPTH, DEPTH)
        return _by_document(house, {id: score for _audience, id, score in found.best}, suffix)

    def by_meaning(question: str) -> dict[str, float]:
        vector = house.embedder.embed_query(question)
        near = house.index.query("passages", "everyone", vector, DEPTH)
        return _by_document(house, {each.id: each.similarity for each in near}, suffix)

    def together(question: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for hit in house.retrieval.search(question, EVERYONE, limit=DEPTH):
            found.setdefault(hit.uri.removesuffix(suffix), 1.0 / hit.rank)
        return found

    return {"BM25": by_words, "dense": by_meaning, "Skredder": together}


def _by_document(house: House, scores: dict[str, float], suffix: str) -> dict[str, float]:
    with house.database.read() as session:
        known = documents.passages_by_ids(session, scores, EVERYONE)
    found: dict[str, float] = {}
    for id in sorted(scores, key=lambda each: -scores[each]):
        found.setdefault(known[id].uri.removesuffix(suffix), scores[id])
    return found


def measure(
    collection: Judged,
    metrics: tuple[str, ...],
    pages: Path | None = None,
    *,
    with_peers: bool = True,
    embedder: Embedder | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each way of searching, with its figures on both halves."""
    embedder = embedder or MiniLmEmbedder()
    with tempfile.TemporaryDirectory() as name:
        house = house_in(Path(name), embedder)
        read(house, collection, pages)
        house.retrieval.warm()
        ways = searches(house, "" if pages else ".md")
        ours = ways.pop("Skredder")
        if with_peers:
            texts = collection.documents
            if pages is not None:
                texts = {uri: (pages / uri).read_text(errors="replace") for uri in texts}
            ways |= peers.llama_index_searches(texts, embedder)
        ways["Skredder"] = ours
        rows = [_row(who, search, collection, metrics) for who, search in ways.items()]
        house.close()
    return rows


def _row(who: str, search: Search, collection: Judged, metrics: tuple[str, ...]) -> dict[str, Any]:
    tuned, reported = collection.halves()
    started = time.monotonic()
    run = {asked: search(collection.questions[asked]) for asked in (*tuned, *reported)}
    seconds = (time.monotonic() - started) / max(1, len(run))
    figures = {
        half: _figures(asked, run, collection, metrics)
        for half, asked in (("tuned", tuned), ("reported", reported), ("all", [*tuned, *reported]))
    }
    return {"who": who, "collection": collection.name, "ms_a_question": seconds * 1000, **figures}


def _figures(
    asked: list[str], run: dict[str, dict[str, float]], collection: Judged, metrics: tuple[str, ...]
) -> dict[str, float]:
    from ranx import Qrels, Run, evaluate

    relevant = Qrels({each: collection.relevant[each] for each in asked})
    found = Run({each: run[each] or {"nothing": 0.0} for each in asked})
    result = evaluate(relevant, found, list(metrics))
    return {metric: float(result[metric]) for metric in metrics}


def _print(rows: list[dict[str, Any]], metrics: tuple[str, ...]) -> None:
    table = Table(title=rows[0]["collection"])
    table.add_column("who")
    for half in ("reported", "tuned", "all"):
        for metric in metrics:
            table.add_column(f"{metric}\n{half}", justify="right")
    table.add_column("ms", justify="right")
    for row in rows:
        table.add_row(
            row["who"],
            *(f"{row[half][m]:.3f}" for half in ("reported", "tuned", "all") for m in metrics),
            f"{row['ms_a_question']:.1f}",
        )
    Console(width=160).print(table)


def main() -> None:
    """Measure the collections that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    known: dict[str, Callable[[Path], tuple[Judged, tuple[str, ...], Path | None]]] = {
        "cranfield": lambda data: (judged.cranfield(data), GRADED, None),
        "scifact": lambda data: (judged.scifact(data), GRADED, None),
        "norquad": lambda data: (judged.norquad(data), PAGES, None),
        "handbook": lambda data: _own(data / "handbook", "handbook.json", "Handbook"),
        "variant-no": lambda data: _own(
            data / "variant-no", "variant_no.json", "Variant (Norwegian)"
        ),
    }
    parser.add_argument("collections", nargs="*", help=f"of {', '.join(known)}; by default all")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--json", type=Path, default=Path("bench-results/retrieval_quality.json"))
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--embedder", choices=["english", "multilingual"], default="english")
    options = parser.parse_args()
    if unknown := set(options.collections) - set(known):
        parser.error(f"There is no collection {', '.join(sorted(unknown))}; there are {[*known]}.")
    embedder = open_embedder(options.embedder, options.json.parent / "models")
    results = []
    for name in options.collections or known:
        collection, metrics, pages = known[name](options.data)
        rows = measure(
            collection, metrics, pages, with_peers=not options.without_peers, embedder=embedder
        )
        _print(rows, metrics)
        results += rows
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _own(pages: Path, file: str, name: str) -> tuple[Judged, tuple[str, ...], Path]:
    return judged.own_questions(QUESTIONS / file, pages, name), PAGES, pages


if __name__ == "__main__":
    main()
