"""One query over 100,000 passages in 20 audiences, against a bare Chroma query over as many.

    python -m tests.benchmarks.many_audiences [PASSAGES]

Vectors are drawn at random around topics, and texts of made-up words as common as real ones, so
that nothing has to be embedded; both sides search the same vectors. The query's own embedding is
left out on both sides.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from knowledge.embedder import MiniLmEmbedder
from knowledge.keyword_index import KeywordEntry
from storage import sources
from storage.tables import DocumentRow, PassageRow
from tests.benchmarks.measurement import Measurement
from tests.knowledge.house import House, house_in

AUDIENCES, TOPICS, QUERIES, DIMENSIONS = 20, 500, 300, 384
PER_DOCUMENT = 10

#: Words are as common as in real text: the r-th occurs about 1/(r + 2.7) as often (B. Mandelbrot,
#: 1953). The commonest, which stand for function words, are not asked for.
VOCABULARY, FUNCTION_WORDS, WORDS_A_PASSAGE, WORDS_A_QUERY = 30_000, 40, 90, 6
_SYLLABLES = "ka lo mi tur ne sa vi ler dom pen rik sel tun vat bor gra".split()
WORDS = np.array(
    [
        "".join(_SYLLABLES[n // len(_SYLLABLES) ** place % len(_SYLLABLES)] for place in range(4))
        for n in range(VOCABULARY)
    ]
)


class Fixed(MiniLmEmbedder):
    """Gives the vector that belongs to a query, at no cost."""

    def __init__(self, vectors: dict[str, Any]) -> None:
        super().__init__()
        self._vectors = vectors

    def embed_query(self, text: str) -> Any:
        return self._vectors[text]


def measure(passages: int) -> list[Measurement]:
    """Fill both sides with the same vectors, and ask both the same questions."""
    draw = np.random.default_rng(1)
    topics = _unit(draw.normal(size=(TOPICS, DIMENSIONS)))
    topic_of = draw.integers(TOPICS, size=passages)
    noise = draw.normal(size=(passages, DIMENSIONS)) / 16
    vectors = _unit(topics[topic_of] + noise).astype(np.float32)
    ids = [f"{n:032x}" for n in range(passages)]
    common = 1 / (np.arange(VOCABULARY) + 2.7)
    said = draw.choice(VOCABULARY, size=(passages, WORDS_A_PASSAGE), p=common / common.sum())
    texts = [" ".join(WORDS[row]) for row in said]
    queries = {}
    for asked in draw.integers(passages, size=QUERIES):  # words and vector of the same passage
        words = said[asked][said[asked] >= FUNCTION_WORDS]
        query = " ".join(WORDS[draw.choice(words, WORDS_A_QUERY, replace=False)])
        near = topics[topic_of[asked]] + draw.normal(size=DIMENSIONS) / 16
        queries[query] = _unit(near).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        house = house_in(Path(name), Fixed(queries))
        audiences = [f"audience {n}" for n in range(AUDIENCES)]
        _fill(house, audiences, ids, texts, vectors)
        retrieval = house.retrieval
        threadpool_limits(1, user_api="blas")  # as the bot does
        bare = _times(_chroma_alone(Path(name) / "bare", ids, vectors, queries), queries)
        cold = _times(lambda q: retrieval.search(q, set(audiences[:3]), 5), queries)
        started = time.perf_counter()
        retrieval.warm()
        print(f"taken into memory in {time.perf_counter() - started:.1f} s")
        one = _times(lambda q: retrieval.search(q, {audiences[0]}, 5), queries)
        few = _times(lambda q: retrieval.search(q, set(audiences[:3]), 5), queries)
        whole = _times(lambda q: retrieval.search(q, set(audiences), 5), queries)
        house.close()
    benchmark = f"query over {passages:,} passages, p95"
    peer = _p95(bare)
    return [
        Measurement(benchmark, "peer: Chroma alone, one collection", peer, "ms", 1.0),
        *(
            Measurement(
                benchmark,
                f"Skredder, {count} of {AUDIENCES} audiences",
                _p95(t),
                "ms",
                peer / _p95(t),
            )
            for count, t in ((1, one), (3, few), (AUDIENCES, whole))
        ),
        Measurement(
            benchmark,
            f"Skredder, 3 of {AUDIENCES} audiences, before it is warm",
            _p95(cold),
            "ms",
            peer / _p95(cold),
        ),
    ]


def _chroma_alone(
    folder: Path, ids: list[str], vectors: Any, queries: dict[str, Any]
) -> Callable[[str], object]:
    """Fill one collection of Chroma's, as its documentation shows, and return its query."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection(
        "all", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    for start in range(0, len(ids), 5_000):
        collection.add(ids=ids[start : start + 5_000], embeddings=vectors[start : start + 5_000])
    return lambda query: collection.query(query_embeddings=[queries[query]], n_results=10)


def _fill(
    house: House, audiences: list[str], ids: list[str], texts: list[str], vectors: Any
) -> None:
    now = datetime.now(UTC)
    share = len(ids) // len(audiences)
    for position, audience in enumerate(audiences):
        part = range(position * share, (position + 1) * share)
        house.index.upsert(
            "passages", audience, [ids[n] for n in part], vectors[part.start : part.stop]
        )
        house.keywords.add(audience, [KeywordEntry(ids[n], "Page", texts[n]) for n in part])
        with house.database.write() as session:
            source = sources.register(session, f"/{position}", audience)
            for first in range(part.start, part.stop, PER_DOCUMENT):
                document = DocumentRow(
                    source_id=source.id,
                    uri=f"{first}.md",
                    title="Page",
                    audience=audience,
                    language="en",
                    content_hash="",
                    version=1,
                    state="indexed",
                    synced_at=now,
                )
                session.add(document)
                session.flush()
                session.add_all(
                    PassageRow(
                        id=ids[n],
                        document_id=document.id,
                        version=1,
                        ordinal=n - first,
                        heading="Page",
                        text=texts[n],
                    )
                    for n in range(first, min(first + PER_DOCUMENT, part.stop))
                )


def _times(search: Callable[[str], object], queries: dict[str, Any]) -> list[float]:
    taken = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        taken.append((time.perf_counter() - started) * 1000)
    return taken[20:]


def _p95(times: list[float]) -> float:
    return float(np.percentile(times, 95))


def _unit(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def main() -> None:
    """Print the table."""
    from tests.benchmarks.__main__ import show_and_save

    show_and_save(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))


if __name__ == "__main__":
    main()
