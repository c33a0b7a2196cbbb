from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.grounding.entailment import EntailmentCheck, EntailmentUnusable, entailment_label
from knowledge.grounding.reading import Ground

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] dogs cats are not allowed in the office ."

OFFICE = Ground("Offices > Bergen", "Dogs are not allowed in the office. Cats are.")


def small_model(folder: Path, labels: dict[int, str]) -> Path:
    """A real BERT classifier, tiny and with random weights, always the same."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    vocabulary = folder / "vocab.txt"
    folder.mkdir(parents=True)
    vocabulary.write_text("\n".join(WORDS.split()), encoding="utf-8")
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(WORDS.split()), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, num_labels=len(labels), id2label=labels,
        label2id={name: number for number, name in labels.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    BertTokenizerFast(vocab_file=str(vocabulary)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = {0: "contradiction", 1: "ENTAILMENT", 2: "neutral"}
    return small_model(tmp_path_factory.mktemp("nli") / "model", labels)


def test_the_probability_of_entailment_decides(model: Path) -> None:
    assert list(model.glob("*.safetensors"))
    lenient, strict = EntailmentCheck(str(model), 0.0), EntailmentCheck(str(model), 1.0)
    statement = "dogs are not allowed"
    found = lenient.support(statement, [OFFICE])
    assert 0 < found.probability < 1
    assert found.is_supported
    assert (found.passage, found.reasons) == (0, ())
    assert found.sentence in OFFICE.text
    refused = strict.support(statement, [OFFICE])
    assert refused.probability == pytest.approx(found.probability)
    assert not refused.is_supported
    assert refused.reasons


def test_the_label_is_found_by_its_name_not_by_its_place(tmp_path: Path) -> None:
    labels = ["contradiction", "entailment", "neutral"]
    checks = []
    for turn in range(3):
        turned = {place: labels[(place + turn) % 3] for place in range(3)}
        checks.append(EntailmentCheck(str(small_model(tmp_path / str(turn), turned))))
    probabilities = [check.support("dogs are", [OFFICE]).probability for check in checks]
    # The same weights with the labels turned: each place is entailment once.
    assert len({round(each, 6) for each in probabilities}) == 3


def test_a_model_without_a_label_for_entailment_is_refused(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model", {0: "negative", 1: "positive"})
    with pytest.raises(EntailmentUnusable, match="negative"):
        EntailmentCheck(str(model)).load()


def test_not_entailment_is_another_label() -> None:
    assert entailment_label({0: "entailment", 1: "not_entailment"}, "a model") == 0


def test_a_model_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(EntailmentUnusable, match="nowhere"):
        EntailmentCheck(str(tmp_path / "nowhere")).load()


def test_without_passages_nothing_is_supported(model: Path) -> None:
    assert not EntailmentCheck(str(model), 0.0).support("dogs are allowed", []).is_supported
