"""A process that changes the embedder of a house, to be killed at any moment.

python -m tests.knowledge.reembedding_child HOME EMBEDDER_CACHE
"""

from __future__ import annotations

import sys
from pathlib import Path

from knowledge.embedder import Embedder, MiniLmEmbedder
from knowledge.indexing import Indexes
from knowledge.keyword_index import KeywordIndex
from knowledge.reconciliation import reconcile
from knowledge.reembedding import Reembedding
from knowledge.serving_index import open_serving
from storage.database import Database
from tests.knowledge.turned import TurnedEmbedder


def main() -> None:
    """Start as the bot does, and change the embedder."""
    home, cache = map(Path, sys.argv[1:])
    straight = MiniLmEmbedder(cache)
    turned = TurnedEmbedder(straight)

    def open_embedder(named: str) -> Embedder:
        return {"english": straight, "turned": turned}[named]

    database = Database(f"sqlite:///{home / 'skredder.db'}")
    opened = open_serving(database, home / "index", "turned", open_embedder)
    keywords = KeywordIndex(home / "index" / "keywords.db")
    indexes = Indexes(opened.serving.index, keywords, opened.serving.embedder)
    reconcile(database, indexes)
    if not opened.is_settled:
        assert Reembedding(database, indexes, "turned", open_embedder).run()
    print(len(turned.embedded), flush=True)
    keywords.close()
    opened.serving.index.close()
    database.close()


if __name__ == "__main__":
    main()
