"""A process that syncs a folder, to be killed at any moment.

    python -m tests.knowledge.sync_child HOME FOLDER EMBEDDER_CACHE

It says `ready` when the sync begins and `done` when it has ended.
"""

from __future__ import annotations

import sys
from pathlib import Path

from knowledge.embedder import MiniLmEmbedder
from tests.knowledge.house import house_in


def main() -> None:
    """Sync once."""
    home, folder, cache = (Path(argument) for argument in sys.argv[1:4])
    embedder = MiniLmEmbedder(cache)
    embedder.load()
    house = house_in(home, embedder)
    print("ready", flush=True)
    house.ingest(folder)
    print("done", flush=True)
    house.close()


if __name__ == "__main__":
    main()
