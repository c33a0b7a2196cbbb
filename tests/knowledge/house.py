"""Everything that knowledge needs, real and in one folder; for tests and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from knowledge.embedder import Embedder
from knowledge.indexing import Indexes
from knowledge.ingest import Ingestion, Report
from knowledge.keyword_index import KeywordIndex
from knowledge.passage_index import PassageIndex
from knowledge.retrieval import Retrieval
from storage.database import Database


@dataclass
class House:
    """Everything that knowledge needs, in one folder."""

    folder: Path
    database: Database
    embedder: Embedder
    index: PassageIndex
    keywords: KeywordIndex
    indexes: Indexes
    ingestion: Ingestion
    retrieval: Retrieval

    def ingest(self, path: Path, audience: str = "everyone") -> Report:
        return self.ingestion.ingest(path, audience)

    def found(self, query: str, *audiences: str, limit: int = 5) -> list[str]:
        """Return the addresses of what is found, best first."""
        hits = self.retrieval.search(query, audiences or ("everyone",), limit)
        return [hit.uri for hit in hits]

    def close(self) -> None:
        self.ingestion.close()
        self.index.close()
        self.keywords.close()
        self.database.close()


def house_in(folder: Path, embedder: Embedder) -> House:
    """Open the house in a folder, building it if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{folder / 'skredder.db'}")
    database.migrate()
    index = PassageIndex(folder / "index", embedder.name)
    keywords = KeywordIndex(folder / "index" / "keywords.db")
    indexes = Indexes(index, keywords, embedder)
    return House(
        folder=folder,
        database=database,
        embedder=embedder,
        index=index,
        keywords=keywords,
        indexes=indexes,
        ingestion=Ingestion(database, indexes),
        retrieval=Retrieval(database, indexes.serving, keywords),
    )
