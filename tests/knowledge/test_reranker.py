from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from knowledge.reranker import Reranker, RerankerUnusable

WORDS = "rope hook yard boat sail knot mast deck crew wind tide wave dock pier buoy helm".split()
STEPS = 400
STEP_SIZE = 1e-3
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of 18,000 weights that has learned which text repeats the query's word."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("cross-encoder")
    tokenizer = _tokenizer()
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        num_labels=1,
        initializer_range=0.2,
    )
    model: Any = BertForSequenceClassification(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=STEP_SIZE, weight_decay=0)
    chance = random.Random(5)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model is slower with more
    for _ in range(STEPS):
        queries = [chance.choice(WORDS) for _ in range(64)]
        texts = [chance.sample(WORDS, 4) for _ in range(64)]
        for query, text in zip(queries[::2], texts[::2], strict=True):
            text[chance.randrange(4)] = query
        fits = torch.tensor([float(q in t) for q, t in zip(queries, texts, strict=True)])
        read = tokenizer(queries, [" ".join(text) for text in texts], return_tensors="pt")
        scores = model(**read).logits[:, 0]
        torch.nn.functional.binary_cross_entropy_with_logits(scores, fits).backward()
        optimiser.step()
        optimiser.zero_grad()
    torch.set_num_threads(threads)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {word: id for id, word in enumerate([*SPECIAL, *WORDS])}
    plain: Any = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=plain,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=32,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def test_the_text_that_fits_gets_the_highest_score(trained: Path) -> None:
    reranker = Reranker(str(trained))
    right = 0
    for word in WORDS:
        others = [other for other in WORDS if other != word]
        texts = [" ".join(others[n : n + 3]) for n in range(12)]
        texts[7] = f"{word} {texts[7]}"
        scores = reranker.scores(word, texts)
        right += scores.index(max(scores)) == 7
    assert right >= 14


def test_a_score_does_not_depend_on_what_else_is_scored(trained: Path) -> None:
    reranker = Reranker(str(trained))
    texts = ["rope hook", "boat", "sail knot mast deck crew", ""] * 10
    together = reranker.scores("rope", texts)
    assert len(together) == 40
    alone = [reranker.scores("rope", [text])[0] for text in texts[:4]]
    assert together[:4] == pytest.approx(alone, abs=1e-4)
    assert reranker.scores("rope", []) == ()
    assert len(reranker.scores("rope " * 50_000, ["\ud800 hook"])) == 1


def test_an_encoder_that_was_never_trained_to_compare_is_refused(
    trained: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(trained, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))
    with pytest.raises(RerankerUnusable, match="not trained to compare"):
        Reranker(str(folder))


def test_a_model_that_sorts_into_kinds_is_refused(trained: Path, tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    folder = shutil.copytree(trained, tmp_path / "model")
    described = {**BertConfig.from_pretrained(trained).to_dict(), "num_labels": 3}
    model: Any = BertForSequenceClassification(BertConfig(**described))
    model.save_pretrained(folder)
    with pytest.raises(RerankerUnusable, match="tells 3 kinds"):
        Reranker(str(folder)).load()


def test_weights_that_could_run_code_are_refused(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "model")
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(RerankerUnusable, match="could run code"):
        Reranker(str(folder))
    with pytest.raises(RerankerUnusable, match=r"no folder.*knowledge\.reranker"):
        Reranker("/nowhere/at/all")
