from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from knowledge.examination import examine
from knowledge.reconciliation import rebuild

if TYPE_CHECKING:
    from tests.knowledge.house import House


def test_indexes_in_line_with_sql_are_sound(house: House, pages: Path) -> None:
    house.ingest(pages)
    (found,) = examine(house.database, house.indexes)
    assert found.is_sound
    assert (found.served, found.sampled) == (6, 6)


def test_a_lost_vector_lost_keywords_and_a_leftover_are_each_counted(
    house: House, pages: Path
) -> None:
    house.ingest(pages)
    first, second, *_ = sorted(house.index.ids("passages", "everyone"))
    house.index.delete("passages", "everyone", [first])
    house.keywords.delete("everyone", [second])
    left_over = house.embedder.embed_passages(["nobody wrote this"])
    house.index.upsert("passages", "everyone", ["0" * 32], left_over)
    (found,) = examine(house.database, house.indexes)
    assert (found.without_vector, found.without_keywords, found.not_served) == (1, 1, 1)
    assert not found.is_sound


def test_a_vector_of_another_text_is_found_and_mended_by_rebuilding(
    house: House, pages: Path
) -> None:
    house.ingest(pages)
    one = min(house.index.ids("passages", "everyone"))
    wrong = house.embedder.embed_passages(["something else altogether"])
    house.index.upsert("passages", "everyone", [one], np.asarray(wrong))
    (found,) = examine(house.database, house.indexes)
    assert found.wrong_vectors == 1
    rebuild(house.database, house.indexes)
    assert all(each.is_sound for each in examine(house.database, house.indexes))
