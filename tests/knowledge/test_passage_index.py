from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.passage_index import IndexOwned, IndexUnusable, PassageIndex, collection_name


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PassageIndex]:
    opened = PassageIndex(tmp_path / "index", "toy")
    yield opened
    opened.close()


def _vectors(*directions: int) -> np.ndarray:
    """Unit vectors along axes, slightly tilted so that no two are alike."""
    vectors = np.zeros((len(directions), 8), dtype=np.float32)
    for row, direction in enumerate(directions):
        vectors[row, direction] = 1
        vectors[row, 7] = 0.01 * row
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_nearest_vector_comes_first_with_its_cosine(index: PassageIndex) -> None:
    index.upsert("passages", "everyone", ["a", "b", "c"], _vectors(0, 1, 2))
    first, *others = index.query("passages", "everyone", _vectors(1)[0], 10)
    assert first.id == "b"
    assert first.similarity == pytest.approx(1, abs=1e-3)
    assert [o.similarity for o in others] == pytest.approx([0, 0], abs=1e-3)


def test_audiences_and_kinds_see_only_their_own(index: PassageIndex) -> None:
    index.upsert("passages", "everyone", ["a"], _vectors(0))
    index.upsert("passages", "channel:hr", ["secret"], _vectors(0))
    index.upsert("verified", "everyone", ["pair-1"], _vectors(0))
    for kind, audience, expected in (
        ("passages", "everyone", ["a"]),
        ("passages", "channel:hr", ["secret"]),
        ("verified", "everyone", ["pair-1"]),
        ("verified", "channel:hr", []),
        ("passages", "", []),
        ("passages", "channel:h", []),
    ):
        found = index.query(kind, audience, _vectors(0)[0], 10)  # type: ignore[arg-type]
        assert [n.id for n in found] == expected


def test_storing_an_id_again_replaces_its_vector(index: PassageIndex) -> None:
    index.upsert("passages", "everyone", ["a"], _vectors(0))
    index.upsert("passages", "everyone", ["a"], _vectors(3))
    assert index.count("passages", "everyone") == 1
    (found,) = index.query("passages", "everyone", _vectors(3)[0], 1)
    assert found.similarity == pytest.approx(1, abs=1e-3)
    assert index.vectors("passages", "everyone", ["a", "z"])["a"] @ _vectors(3)[0] > 0.99


def test_what_is_deleted_is_not_found_and_deleting_it_again_is_no_mistake(
    index: PassageIndex,
) -> None:
    index.upsert("passages", "everyone", ["a", "b"], _vectors(0, 1))
    for _ in range(2):
        index.delete("passages", "everyone", ["a", "never there"])
    index.delete("passages", "nobody", ["a"])
    assert index.ids("passages", "everyone") == {"b"}
    assert [n.id for n in index.query("passages", "everyone", _vectors(0)[0], 5)] == ["b"]
    index.delete("passages", "everyone", ["b"])
    assert index.query("passages", "everyone", _vectors(0)[0], 5) == []


def test_more_vectors_than_one_call_takes_are_stored(index: PassageIndex) -> None:
    many = [f"id-{n}" for n in range(6_000)]
    index.upsert("passages", "everyone", many, np.tile(_vectors(0), (6_000, 1)))
    assert index.ids("passages", "everyone") == set(many)
    index.delete("passages", "everyone", many[1:])
    assert index.count("passages", "everyone") == 1


def test_everything_is_there_again_after_closing(tmp_path: Path) -> None:
    for opening in range(2):
        index = PassageIndex(tmp_path, "toy")
        if opening == 0:
            index.upsert("passages", "channel:hr", ["a"], _vectors(0))
        assert [n.id for n in index.query("passages", "channel:hr", _vectors(0)[0], 5)] == ["a"]
        assert index.audiences("passages") == {"channel:hr"}
        index.close()


def test_another_embedder_finds_nothing_of_this_one_s(tmp_path: Path) -> None:
    first = PassageIndex(tmp_path, "toy")
    first.upsert("passages", "everyone", ["a"], _vectors(0))
    first.close()
    second = PassageIndex(tmp_path, "other")
    assert second.ids("passages", "everyone") == frozenset()
    second.close()


def test_dropping_a_kind_leaves_the_other(index: PassageIndex) -> None:
    index.upsert("passages", "everyone", ["a"], _vectors(0))
    index.upsert("verified", "everyone", ["pair-1"], _vectors(0))
    index.drop("passages")
    assert index.ids("passages", "everyone") == frozenset()
    assert index.ids("verified", "everyone") == {"pair-1"}
    index.upsert("passages", "everyone", ["b"], _vectors(0))
    assert index.ids("passages", "everyone") == {"b"}


def test_a_second_process_is_refused_and_told_who_has_the_index(
    index: PassageIndex, tmp_path: Path
) -> None:
    program = (
        "import sys; from pathlib import Path; from knowledge.passage_index import PassageIndex\n"
        "PassageIndex(Path(sys.argv[1]), 'toy')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode != 0
    assert "IndexOwned" in ended.stderr
    assert f"pid {os.getpid()}" in ended.stderr


def test_the_same_process_may_not_open_it_twice_but_again_after_closing(tmp_path: Path) -> None:
    first = PassageIndex(tmp_path, "toy")
    with pytest.raises(IndexOwned):
        PassageIndex(tmp_path, "toy")
    first.close()
    PassageIndex(tmp_path, "toy").close()


def test_a_folder_that_cannot_be_used_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(IndexUnusable, match="cannot be kept"):
        PassageIndex(tmp_path / "file", "toy")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "chroma.sqlite3").write_bytes(b"not a database" * 1000)
    with pytest.raises(IndexUnusable, match="move the folder away"):
        PassageIndex(broken, "toy")


@given(st.text(), st.text())
def test_every_audience_has_a_valid_name_of_its_own(one: str, other: str) -> None:
    name = collection_name("passages", one, "toy")
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]", name)
    assert (name == collection_name("passages", other, "toy")) is (one == other)


def test_two_vector_spaces_lie_beside_each_other_in_one_folder(index: PassageIndex) -> None:
    other = index.sibling("other-toy")
    index.upsert("passages", "everyone", ["a"], _vectors(0))
    other.upsert("passages", "everyone", ["b"], _vectors(0))
    assert index.ids("passages", "everyone") == {"a"}
    assert other.ids("passages", "everyone") == {"b"}
    assert index.embedder_names() == {"toy", "other-toy"}

    other.drop("passages")
    assert index.ids("passages", "everyone") == {"a"}
    other.upsert("passages", "everyone", ["c"], _vectors(0))
    index.drop_embedder("other-toy")
    assert index.embedder_names() == {"toy"}
    assert index.sibling("other-toy").ids("passages", "everyone") == frozenset()
    with pytest.raises(ValueError, match="toy"):
        index.drop_embedder("toy")
