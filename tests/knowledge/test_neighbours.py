from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from knowledge.embedder import MiniLmEmbedder
from knowledge.neighbours import are_neighbours, joined
from knowledge.retrieval import Passage
from tests.knowledge.house import house_in


def _pieces(folder: Path, embedder: MiniLmEmbedder, text: str) -> list[Passage]:
    """Cut a section as it is cut when it is read; return its pieces in reading order."""
    pages = folder / "pages"
    pages.mkdir()
    (pages / "leave.md").write_text(f"# Leave\n\n## How it is taken\n\n{text}\n", encoding="utf-8")
    house = house_in(folder / "home", embedder)
    house.ingest(pages)
    hits = house.retrieval.search("How is leave taken?", {"everyone"}, 20)
    house.close()
    return sorted(hits, key=lambda hit: hit.first)


def test_a_section_that_was_cut_is_whole_again_with_nothing_said_twice(
    tmp_path: Path, embedder: MiniLmEmbedder
) -> None:
    sentences = [
        f"Rule {n} says that leave of kind {n} is booked {n} days ahead." for n in range(60)
    ]
    whole, *others = _pieces(tmp_path, embedder, " ".join(sentences))
    assert len(others) > 1
    for piece in others:
        assert are_neighbours(whole, piece)
        assert are_neighbours(piece, whole)
        whole = joined(whole, piece)
    assert whole.text.split() == " ".join(sentences).split()
    assert (whole.first, whole.last) == (others[0].first - 1, others[-1].last)


def test_only_what_follows_in_the_same_section_is_a_neighbour(
    tmp_path: Path, embedder: MiniLmEmbedder
) -> None:
    sentences = [
        f"Rule {n} says that leave of kind {n} is booked {n} days ahead." for n in range(60)
    ]
    first, second, third, *_ = _pieces(tmp_path, embedder, " ".join(sentences))
    assert not are_neighbours(first, first)
    assert not are_neighbours(first, third)
    assert not are_neighbours(first, replace(second, heading="Elsewhere"))
    assert not are_neighbours(first, replace(second, document_id=second.document_id + 1))
    assert not are_neighbours(first, replace(second, version=second.version + 1))
