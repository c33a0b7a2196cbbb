"""What a model takes is known before it is loaded, and too much is refused with the sum."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.engines import EngineOpener
from bot.inference import openvino_engine
from bot.inference.language_model import InferenceFailed
from bot.inference.memory import (
    MemoryTooSmall,
    ModelShape,
    available_gib,
    check_it_fits,
    memory_need,
)
from bot.inference.openvino_engine import OpenVinoEngine
from training.base_model import BaseModel


def test_the_cache_of_the_bundled_model_is_what_openvino_was_seen_to_take(
    base_model: BaseModel,
) -> None:
    # Measured: a prompt of 8,000 tokens filled 10.24 % of a cache of 1 GiB.
    measured = 0.1024 * 2**30 / 8000
    shape = ModelShape.read(base_model.folder)
    assert shape == ModelShape(layers=30, key_value_heads=3, head_size=64)
    assert shape.cache_bytes_per_token == pytest.approx(measured, rel=0.01)


def test_a_model_without_grouped_heads_is_read_too(tmp_path: Path) -> None:
    config = {"num_attention_heads": 32, "num_hidden_layers": 32, "hidden_size": 3072}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert ModelShape.read(tmp_path) == ModelShape(32, 32, 96)


def test_a_configuration_that_says_too_little_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"config\.json lacks 'num_attention_heads'"):
        ModelShape.read(tmp_path)


def test_a_model_that_does_not_fit_is_refused_with_the_sum(base_model: BaseModel) -> None:
    assert base_model.gguf is not None
    need = memory_need(base_model.gguf, base_model.folder, cache_gib=2)
    assert need.total_gib == need.weights_gib + 2 + need.working_gib
    check_it_fits(need, need.total_gib)
    with pytest.raises(MemoryTooSmall, match=r"keys and values 2\.00 .* and 0\.50 GiB are free"):
        check_it_fits(need, 0.5)


def test_an_engine_does_not_start_where_it_cannot_fit(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert base_model.gguf is not None
    monkeypatch.setattr(openvino_engine, "available_gib", lambda: 0.7)
    with pytest.raises(InferenceFailed, match="smaller `cache_gb`"):
        OpenVinoEngine(base_model.gguf, base_model.folder, "base")


def test_what_does_not_fit_is_not_opened_by_an_engine_that_needs_more(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "available_gib", lambda: 0.1)
    with pytest.raises(MemoryTooSmall, match=r"0\.10 GiB are free"):
        EngineOpener(base_model, "auto").open_files("base", None)


def test_a_container_leaves_less_than_the_machine(tmp_path: Path) -> None:
    from bot.inference.memory import _free_in_container

    assert _free_in_container(tmp_path) is None
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("400\n")
    (tmp_path / "memory.stat").write_text("anon 300\ninactive_file 100\n")
    assert _free_in_container(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert _free_in_container(tmp_path) == 700
    assert 0 < available_gib() < 10_000
