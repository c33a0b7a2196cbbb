"""The real embedder, loaded once, and a house of real indexes over a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge.embedder import MiniLmEmbedder
from tests.knowledge.house import House, house_in


@pytest.fixture(scope="session")
def embedder_cache(pytestconfig: pytest.Config) -> Path:
    """Kept between runs: converting the model takes ten seconds."""
    return pytestconfig.cache.mkdir("embedder")


@pytest.fixture(scope="session")
def embedder(embedder_cache: Path) -> MiniLmEmbedder:
    loaded = MiniLmEmbedder(embedder_cache)
    loaded.load()
    return loaded


@pytest.fixture
def open_house(embedder: MiniLmEmbedder) -> Iterator[Callable[[Path], House]]:
    """Opens houses, also the same one again, and closes those left open."""
    opened: list[House] = []

    def open_it(folder: Path) -> House:
        opened.append(house_in(folder, embedder))
        return opened[-1]

    yield open_it
    for house in opened:
        house.close()


@pytest.fixture
def house(tmp_path: Path, open_house: Callable[[Path], House]) -> House:
    return open_house(tmp_path / "home")


Write = Callable[[Path, str | bytes], Path]


@pytest.fixture
def write() -> Write:
    """Writes a file, making its folder."""

    def write_it(path: Path, content: str | bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_it


@pytest.fixture
def pages(tmp_path: Path, write: Write) -> Path:
    """A small handbook."""
    folder = tmp_path / "pages"
    write(folder / "leave.md", LEAVE)
    write(folder / "travel.md", TRAVEL)
    write(folder / "people" / "ferie.md", FERIE)
    return folder


LEAVE = """---
title: Leave
owner: Ingrid Moen
updated: 2026-03-01
reviewed_until: 2027-03-01
---

# Leave

How to be away from work.

## Parental leave

Every parent gets 18 weeks of fully paid parental leave, to be taken before the child turns two.
Tell your manager three months ahead.

## Sick leave

Call your manager before 09:00. A doctor's note is needed from the fourth day of illness onwards.
"""

TRAVEL = """# Travel

## Booking flights

Book flights at least 14 days ahead through the travel desk. Business class is allowed on flights
longer than eight hours.

## Meals on the road

Meals are refunded up to 55 euros a day when you hand in the receipts within a month.
"""

FERIE = """# Ferie

## Overføring av feriedager

Du kan overføre inntil fem feriedager til neste år. Gi beskjed til lederen din før 1. november.
"""
