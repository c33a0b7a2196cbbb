from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.passage_index import PassageIndex
from knowledge.vector_memory import VectorMemory


def _unit(draw: np.random.Generator, count: int, dimensions: int = 96) -> np.ndarray:
    rows = draw.normal(size=(count, dimensions)).astype(np.float32) + 0.3
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_nearest_of_many_are_those_that_an_exact_search_finds() -> None:
    draw = np.random.default_rng(3)
    topics = _unit(draw, 60)
    stored = topics[draw.integers(60, size=4_000)] + draw.normal(size=(4_000, 96)) / 12
    stored = (stored / np.linalg.norm(stored, axis=1, keepdims=True)).astype(np.float32)
    memory = VectorMemory([str(n) for n in range(4_000)], stored)
    found = 0
    for asked in topics:
        exact = {str(n) for n in np.argsort(-(stored @ asked))[:20]}
        near = memory.nearest(asked, 20)
        assert list(near.cosines) == sorted(near.cosines, reverse=True)
        found += len(exact & set(near.ids))
    assert found >= 0.97 * 60 * 20


def test_a_cosine_is_exact() -> None:
    stored = _unit(np.random.default_rng(4), 500)
    memory = VectorMemory([str(n) for n in range(500)], stored)
    near = memory.nearest(stored[7], 10)
    assert near.ids[0] == "7"
    for id, cosine in zip(near.ids, near.cosines, strict=True):
        assert abs(cosine - float(stored[int(id)] @ stored[7])) < 1e-5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "take"]), st.integers(0, 12), st.integers(0, 99)),
        max_size=60,
    )
)
def test_memory_holds_what_was_put_and_not_taken(steps: list[tuple[str, int, int]]) -> None:
    choices = _unit(np.random.default_rng(5), 100)
    memory, expected = VectorMemory(["start"], choices[:1]), {"start": 0}
    for step, name, row in steps:
        if step == "put":
            memory.upsert([str(name)], choices[row : row + 1])
            expected[str(name)] = row
        else:
            memory.delete([str(name), "nowhere"])
            expected.pop(str(name), None)
    assert len(memory) == len(expected)
    kept = memory.vectors([*expected, "nowhere"])
    assert kept.keys() == expected.keys()
    assert all(np.array_equal(kept[id], choices[row]) for id, row in expected.items())
    assert set(memory.nearest(choices[0], 50).ids) == expected.keys()


def test_an_index_in_memory_follows_every_change_and_answers_as_chroma_does(
    tmp_path: Path,
) -> None:
    index = PassageIndex(tmp_path / "index", "toy")
    stored = _unit(np.random.default_rng(6), 300)
    ids = [str(n) for n in range(300)]
    index.upsert("passages", "everyone", ids[:200], stored[:200])
    by_chroma = [near.id for near in index.query("passages", "everyone", stored[3], 10)]
    assert index.warm() == 200
    assert [near.id for near in index.query("passages", "everyone", stored[3], 10)] == by_chroma

    index.upsert("passages", "everyone", ids[200:], stored[200:])
    index.delete("passages", "everyone", ids[:10])
    assert index.warm() == 290
    assert index.query("passages", "everyone", stored[250], 1)[0].id == "250"
    assert "3" not in [near.id for near in index.query("passages", "everyone", stored[3], 300)]
    assert index.vectors("passages", "everyone", ["3", "250"]).keys() == {"250"}

    index.delete("passages", "everyone", ids)
    index.upsert("passages", "everyone", ["back"], stored[:1])
    assert [near.id for near in index.query("passages", "everyone", stored[0], 5)] == ["back"]
    index.drop("passages")
    assert index.query("passages", "everyone", stored[0], 5) == []
    index.close()
