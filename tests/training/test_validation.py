from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.training.test_process import never, order, snapshot, weights
from training import checkpoints
from training.base_model import BaseModel
from training.fine_tuning import TrainingStopped, train
from training.manifest import verify_manifest
from training.recipe import Recipe
from training.validation import (
    SCALES,
    Best,
    Losses,
    choose_scale,
    losses_at,
    mean_loss,
    split_rows,
)


def test_whole_groups_are_kept_from_learning_and_the_same_ones_each_time(tmp_path: Path) -> None:
    rows = snapshot(tmp_path).train
    learned, kept = split_rows(rows, 0.25, seed=7)
    assert (learned, kept) == split_rows(rows, 0.25, seed=7)
    assert kept
    assert len(learned) + len(kept) == len(rows)
    assert not {row.group_key for row in learned} & {row.group_key for row in kept}
    assert all(row.split == "train" for row in kept)
    assert split_rows(rows, 0.0, seed=7) == (list(rows), [])


def test_of_scales_as_good_on_pairs_the_one_that_keeps_most_of_the_base_is_taken() -> None:
    losses = {
        0.5: Losses(1.40, 2.0),
        0.8: Losses(1.01, 2.2),
        0.9: Losses(1.00, 2.4),
        1.0: Losses(1.00, 2.9),
    }
    assert choose_scale(losses) == 0.8


def test_where_less_of_the_adapter_is_worse_on_pairs_all_of_it_is_taken() -> None:
    assert choose_scale({0.5: Losses(2.0, 1.0), 1.0: Losses(1.0, 3.0)}) == 1.0


def test_without_general_rows_the_least_scale_that_is_good_is_taken() -> None:
    assert choose_scale({0.7: Losses(1.01, None), 1.0: Losses(1.0, None)}) == 0.7


def test_the_best_weights_are_kept_and_put_back() -> None:
    model: Any = torch.nn.Linear(1, 1, bias=False)
    best = Best(patience=2)
    stops = []
    for step, (weight, loss) in enumerate([(1.0, 3.0), (2.0, 1.0), (3.0, 1.5), (4.0, 1.2)]):
        torch.nn.init.constant_(model.weight, weight)
        stops.append(best.look(model, loss, step))
    assert stops == [False, False, False, True]
    best.restore(model)
    assert (model.weight.item(), best.loss, best.step) == (2.0, 1.0, 1)


def test_an_adapter_counts_fully_again_after_it_was_looked_at_scaled() -> None:
    part = SimpleNamespace(scaling={"default": 2.0})
    seen = []

    class Model:
        training = False
        device = "cpu"

        def modules(self) -> list[Any]:
            return [part]

        def __call__(self, input_ids: Any, use_cache: bool) -> Any:
            seen.append(part.scaling["default"])
            return SimpleNamespace(logits=torch.zeros(1, input_ids.shape[1], 10))

    found = losses_at(Model(), 0.5, [([1, 2, 3], [-100, 2, 3])], [])
    assert seen == [1.0]
    assert part.scaling == {"default": 2.0}
    assert found.pairs == pytest.approx(torch.log(torch.tensor(10.0)).item())
    assert found.general is None


def test_a_look_at_the_loss_leaves_four_bit_weights_as_training_needs_them() -> None:
    """Packed for answering, on a processor with AVX-512 bfloat16, they pass no gradient on."""
    from bitsandbytes.nn import Linear4bit

    torch.manual_seed(0)

    class Model(torch.nn.Module):
        device = torch.device("cpu")

        def __init__(self) -> None:
            super().__init__()
            self.words = torch.nn.Embedding(10, 64)
            self.adapter = torch.nn.Linear(64, 64)
            self.dropout = torch.nn.Dropout(0.5)
            self.layer = Linear4bit(64, 64, bias=False, compute_dtype=torch.bfloat16)
            self.seen: list[tuple[bool, bool]] = []

        def forward(self, input_ids: torch.Tensor, use_cache: bool = False) -> Any:
            self.seen.append((self.training, self.dropout.training))
            states = self.layer(self.dropout(self.adapter(self.words(input_ids))))
            return SimpleNamespace(logits=states[..., :10])

    model = Model().to("cpu")
    rows = [([1, 2, 3], [-100, 2, 3])]
    first = mean_loss(model, rows)
    assert mean_loss(model, rows) == first  # nothing is dropped
    assert model.seen[-1] == (True, False)
    assert model.dropout.training
    assert not getattr(model.layer.weight.quant_state, "packing_format_for_cpu", False)
    model(torch.tensor([[1, 2, 3]])).logits.float().sum().backward()
    assert model.adapter.weight.grad is not None
    assert float(model.adapter.weight.grad.abs().sum()) > 0


def test_choosing_and_stopping_need_something_to_look_at() -> None:
    with pytest.raises(ValueError, match="validation_share"):
        Recipe(patience=2)
    with pytest.raises(ValueError, match="validation_share"):
        Recipe(chooses_scale=True)


def test_a_training_stops_when_nothing_gets_better_and_says_at_what_scale_it_counts(
    tiny_model: BaseModel, tmp_path: Path
) -> None:
    job = order(
        tiny_model,
        tmp_path,
        # So quick that it is soon past its best.
        learning_rate=0.5,
        epochs=4,
        validation_share=0.25,
        validate_every=1,
        patience=1,
        chooses_scale=True,
    )
    lines: list[Any] = []
    adapter = train(job, lines.append, lambda: False)
    looks = [line for line in lines if line["event"] == "validation"]
    steps = [line["step"] for line in lines if line["event"] == "step"]
    planned = next(line["steps"] for line in lines if line["event"] == "step")
    assert max(steps) < planned
    kept = next(line["kept_step"] for line in lines if "kept_step" in line)
    best = min(looks, key=lambda look: look["loss"])
    assert kept == best["step"]
    lineage = verify_manifest(adapter).lineage
    assert lineage["chosen_scale"] in SCALES
    assert lineage["recipe"]["patience"] == 1


@pytest.mark.parametrize("looks_left", [1, 0])
def test_a_training_interrupted_after_its_best_ends_with_the_same_weights(
    tiny_model: BaseModel, tmp_path: Path, looks_left: int
) -> None:
    changes: dict[str, Any] = {
        "learning_rate": 0.5,
        # Where its best lies is another step on another processor; there must be room after it.
        "epochs": 8,
        "compute": "float32",
        "validation_share": 0.25,
        "validate_every": 1,
        "patience": 2,
        "checkpoint_every": 1,
    }
    calm: list[Any] = []
    undisturbed = train(order(tiny_model, tmp_path / "calm", **changes), calm.append, never)
    best = next(line["kept_step"] for line in calm if "kept_step" in line)
    last = max(line["step"] for line in calm if line["event"] == "step")
    assert last == best + 2

    job = order(tiny_model, tmp_path / "rough", **changes)
    rough: list[Any] = []
    moment = last - looks_left

    def report(line: Any) -> None:
        rough.append(line)
        if line["event"] == "validation" and line["step"] == moment:
            saved.append(moment)
        elif saved and line["event"] == "note":
            raise KeyboardInterrupt  # the end had come, and nothing of it was written

    saved: list[int] = []
    with pytest.raises((TrainingStopped, KeyboardInterrupt)):
        train(job, report, lambda: bool(saved) and moment < last)
    assert checkpoints.last_whole(Path(job.work)) == Path(job.work) / f"checkpoint-{moment}"
    finished = train(job, rough.append, never)
    kept = [line["kept_step"] for line in rough if "kept_step" in line][-1]
    assert kept == best
    ours, theirs = weights(finished), weights(undisturbed)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert verify_manifest(finished).lineage["steps"] == last
