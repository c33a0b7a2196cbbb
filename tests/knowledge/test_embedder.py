from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from knowledge import embedder_model
from knowledge.embedder import MiniLmEmbedder
from knowledge.embedder_model import EmbedderUnusable

TEXTS = [
    "Meals are refunded up to 55 euros a day.",
    "Du kan overføre inntil fem feriedager.",
    "word " * 400,
    "🎉",
    "",
    "half a letter: \ud800",
]


def test_vectors_have_length_one_and_their_texts_order(embedder: MiniLmEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS * 3)
    assert vectors.shape == (18, embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(18), abs=1e-3)
    for text, vector in zip(TEXTS * 3, vectors, strict=True):
        assert embedder.embed_query(text) @ vector == pytest.approx(1, abs=2e-3)
    assert embedder.embed_passages([]).shape == (0, embedder.dimensions)


def test_vectors_are_those_of_the_model_s_own_library(embedder: MiniLmEmbedder) -> None:
    """The cosines with the first text, as sentence-transformers 6.2 computes them."""
    texts = [
        "Meals are refunded up to 55 euros a day.",
        "How much can I spend on food when travelling?",
        "The fire alarm is tested on Wednesdays.",
        "Du kan overføre inntil fem feriedager.",
        "word " * 400,
    ]
    vectors = embedder.embed_passages(texts)
    expected = [1.0, 0.4872, -0.0202, 0.0984, 0.0632]
    assert (vectors @ vectors[0]).tolist() == pytest.approx(expected, abs=0.005)


def test_the_meaning_decides_what_is_near(embedder: MiniLmEmbedder) -> None:
    question = embedder.embed_query("How much can I spend on food when travelling?")
    near, far = embedder.embed_passages([TEXTS[0], "The fire alarm is tested on Wednesdays."])
    assert question @ near > question @ far + 0.2


def test_tokens_are_counted_beyond_what_the_model_reads(embedder: MiniLmEmbedder) -> None:
    assert embedder.count_tokens(["parental leave", "parental leave " * 300, ""]) == [2, 600, 0]


def test_several_threads_get_the_vectors_each_asked_for(embedder: MiniLmEmbedder) -> None:
    expected = embedder.embed_passages(TEXTS)
    wrong: list[str] = []

    def ask(start: int) -> None:
        for n in range(start, start + 12):
            text, vector = TEXTS[n % 6], expected[n % 6]
            if embedder.embed_query(text) @ vector < 0.998:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_question_of_a_hundred_kilobytes_is_embedded(embedder: MiniLmEmbedder) -> None:
    assert embedder.embed_query("how much " * 12_000).shape == (embedder.dimensions,)


def test_a_damaged_conversion_is_made_again(
    embedder: MiniLmEmbedder, embedder_cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(embedder_cache, tmp_path, dirs_exist_ok=True)
    (folder,) = (f for f in tmp_path.iterdir() if f.is_dir())
    weights = folder / "model.bin"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    again = MiniLmEmbedder(tmp_path)
    assert again.embed_query(TEXTS[0]) @ embedder.embed_query(TEXTS[0]) > 0.999
    assert weights.read_bytes() == whole


def test_changed_weights_in_the_package_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedder_model, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(EmbedderUnusable, match="force-reinstall"):
        MiniLmEmbedder(tmp_path).embed_query("anything")
