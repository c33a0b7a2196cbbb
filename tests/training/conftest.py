"""A model of the real kind, small enough to be trained within a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training.base_model import BaseModel


@pytest.fixture(scope="session")
def tiny_model(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """A Llama of two thin layers with the bundled model's tokenizer, with random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("tiny-model")
    config: Any = AutoConfig.from_pretrained(base_model.folder)
    config.hidden_size, config.intermediate_size, config.head_dim = 64, 128, 16
    config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads = 2, 4, 2
    torch.manual_seed(1)
    automatic: Any = AutoModelForCausalLM
    automatic.from_config(config).save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(base_model.folder)
    tokenizer.save_pretrained(folder)
    return BaseModel("tiny-model", Path(folder), None)
