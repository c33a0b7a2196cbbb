from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from training.base_model import BaseModel
from training.memory_plan import GB, Load, plan_memory
from training.model_shape import ShapeUnknown, read_shape, shape_of_config
from training.planner import Device, RunTooLarge, plan_training
from training.recipe import Recipe

#: Llama 2 7B, as its configuration says.
LLAMA_7B = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
}

#: Under which the two published figures hold: QLoRA's rank, four rows of 2,048 tokens, all of them
#: learned, activations recomputed, 16-bit numbers, Adam's moments in 32 bits.
PUBLISHED = Load("qlora", rows=4, row_tokens=2048, rank=64, recomputes=True)

CARD_16 = Device("cuda", "a card of 16 GB", 15.9 * GB, 1e13, 2)
LAPTOP = Device("cpu", "two cores", 8 * GB, 1e11, 4)


def folder_of(config: dict[str, object], folder: Path) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_seven_billion_parameters_are_counted_from_the_configuration() -> None:
    assert shape_of_config(LLAMA_7B, "llama").parameters == 6_738_415_616


@pytest.mark.parametrize(("method", "published"), [("full", 78.5), ("qlora", 15.5)])
def test_the_published_figures_for_7b_come_out_within_15_percent(
    method: str, published: float
) -> None:
    load = replace(PUBLISHED, method=method)  # type: ignore[arg-type]
    planned = plan_memory(shape_of_config(LLAMA_7B, "llama"), load).total / GB
    assert planned == pytest.approx(published, rel=0.15)


def test_lora_on_16_bit_weights_lies_between_the_two() -> None:
    shape = shape_of_config(LLAMA_7B, "llama")
    qlora, lora, full = (
        plan_memory(shape, replace(PUBLISHED, method=method)).total  # type: ignore[arg-type]
        for method in ("qlora", "lora", "full")
    )
    assert qlora < lora < full


def test_every_line_of_the_bill_shows_its_sum_and_the_lines_add_up() -> None:
    plan = plan_memory(shape_of_config(LLAMA_7B, "llama"), PUBLISHED)
    assert sum(line.bytes for line in plan.lines) == plan.total
    assert "weights in NF4" in str(plan)
    assert "6.48 billion x 4.127 bits" in str(plan)
    assert all(line.sum for line in plan.lines)


def test_the_bundled_model_weighs_what_was_measured(base_model: BaseModel) -> None:
    # 538 MB in float32; between 110 and 166 MB in NF4, by what the embeddings are kept in.
    shape = read_shape(base_model.folder)
    assert shape.parameters * 4 == pytest.approx(538e6, rel=0.01)
    for size, measured in ((2, 110e6), (4, 166e6)):
        plan = plan_memory(shape, Load("qlora", rows=1, row_tokens=64, number_bytes=size))
        weights = sum(line.bytes for line in plan.lines if "weights" in line.what)
        assert weights == pytest.approx(measured, rel=0.02)
    assert shape.adapter_parameters(16) == pytest.approx(4.9e6, rel=0.01)


def test_headers_and_configuration_count_the_same(base_model: BaseModel, tmp_path: Path) -> None:
    config = json.loads((base_model.folder / "config.json").read_text())
    by_headers, by_config = read_shape(base_model.folder), shape_of_config(config, "bundled")
    assert by_headers.parameters == by_config.parameters
    assert sorted(by_headers.linears) == sorted(by_config.linears)


def test_a_run_that_fits_is_not_refused_and_says_time_and_cost(tmp_path: Path) -> None:
    plan = plan_training(
        folder_of(LLAMA_7B, tmp_path),
        Recipe(epochs=2, batch_size=1),
        CARD_16,
        tokens=180_000,
        tokens_a_second=100,
        hour_price=2.5,
    )
    plan.refuse_if_too_large()
    assert plan.seconds == 3600
    assert plan.cost == 2.5
    shown = "\n".join(plan.lines())
    assert "360,000 tokens / 100 a second (as in the last run here) = 60 min" in shown
    assert "1.00 hours x 2.5 EUR = 2.50 EUR" in shown


def test_a_run_that_cannot_fit_is_refused_with_numbers_and_what_would_fit(tmp_path: Path) -> None:
    large = plan_training(
        folder_of(LLAMA_7B, tmp_path), Recipe(batch_size=32, max_tokens=2048), CARD_16, tokens=1000
    )
    with pytest.raises(RunTooLarge) as refused:
        large.refuse_if_too_large()
    said = str(refused.value)
    assert f"{large.memory.total / GB:.1f} GB of memory, and 15.9 GB are free" in said
    assert "With `batch_size = " in said
    assert "which fits" in said


def test_where_nothing_smaller_fits_another_model_or_machine_is_advised(tmp_path: Path) -> None:
    plan = plan_training(
        folder_of(LLAMA_7B, tmp_path), Recipe(), replace(LAPTOP, free=2 * GB), tokens=1000
    )
    with pytest.raises(RunTooLarge, match="name a smaller base model"):
        plan.refuse_if_too_large()


def test_without_an_earlier_run_the_speed_is_that_of_the_bundled_model_scaled(
    base_model: BaseModel,
) -> None:
    from training.planner import CORE_RATE

    two_cores = replace(LAPTOP, rate=2 * CORE_RATE)
    plan = plan_training(base_model.folder, Recipe(), two_cores, tokens=141_000)
    assert plan.tokens_a_second == pytest.approx(190, rel=0.01)
    # 141,000 tokens took 12 minutes when it was measured.
    assert plan.seconds == pytest.approx(12 * 60, rel=0.15)


def test_a_damaged_weights_file_is_named(tmp_path: Path) -> None:
    folder_of(LLAMA_7B, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    with pytest.raises(ShapeUnknown, match=r"model\.safetensors"):
        read_shape(tmp_path)
