"""A model of the real kind, small enough to be trained within a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.base_model import BaseModel


@pytest.fixture(scope="session")
def tiny_model(tiny_base: Path) -> BaseModel:
    """A Llama of two thin layers with the bundled model's tokenizer, with random weights."""
    return BaseModel("tiny-model", tiny_base, None)
