from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from training.base_model import BaseModel
from training.evaluation.answer_likelihoods import answer_likelihoods
from training.prompt import ChatMessage
from training.tokens import NOT_LEARNED, tokenize

#: Questions about the same passage, one of them with two answers of which one begins the other.
ASKED = [
    ("Sources:\n[1] Ropes are 40 m long and blue.\nHow long is a rope?", "Hei! 40 m [1]."),
    ("Who made the tea?", "Hei! Nobody knows."),
    ("Sources:\n[1] Ropes are 40 m long and blue.\nWhat colour has a rope?", "Hei! Blue [1]."),
    ("Sources:\n[1] Ropes are 40 m long and blue.\nHow long is a rope?", "Hei! 40 m [1]. Bye!"),
]


@pytest.fixture(scope="module")
def asked(tiny_model: BaseModel) -> list[tuple[list[int], list[int]]]:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model.folder)
    return [tokenize([ChatMessage("user", text)], answer, tokenizer) for text, answer in ASKED]


def one_by_one(model: Any, asked: list[tuple[list[int], list[int]]]) -> list[float]:
    """Each answer's likelihood as the model's own loss has it, nothing shared."""
    import torch

    with torch.no_grad():
        return [
            math.exp(-float(model(torch.tensor([ids]), labels=torch.tensor([labels])).loss))
            for ids, labels in asked
        ]


@contextmanager
def tokens_read(model: Any) -> Iterator[list[int]]:
    counts: list[int] = []
    hook = model.get_input_embeddings().register_forward_hook(
        lambda _module, given, _made: counts.append(given[0].numel())
    )
    yield counts
    hook.remove()


def test_what_questions_share_is_read_once_and_changes_no_likelihood(
    tiny_model: BaseModel, asked: list[tuple[list[int], list[int]]]
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    automatic: Any = AutoModelForCausalLM
    torch.manual_seed(5)
    model = automatic.from_pretrained(tiny_model.folder, dtype=torch.float32).eval()
    with torch.no_grad():  # random weights of their usual size find every token equally likely
        model.get_output_embeddings().weight.mul_(40)
    with tokens_read(model) as counts:
        found = answer_likelihoods(model, asked)
    assert found == pytest.approx(one_by_one(model, asked), rel=1e-4)
    assert len({round(math.log(value), 3) for value in found}) == len(asked)
    prompt = asked[0][1].count(NOT_LEARNED)
    assert sum(counts) < sum(len(ids) for ids, _ in asked) - prompt


def test_a_model_that_forgets_what_lies_far_back_reads_every_question_whole(
    asked: list[tuple[list[int], list[int]]],
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, MistralConfig

    torch.manual_seed(5)
    automatic: Any = AutoModelForCausalLM
    model = automatic.from_config(
        MistralConfig(
            vocab_size=49_152,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            sliding_window=8,
            initializer_range=0.3,
        )
    ).eval()
    assert answer_likelihoods(model, asked) == pytest.approx(one_by_one(model, asked), rel=1e-3)
