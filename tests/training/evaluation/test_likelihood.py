from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from training.base_model import BaseModel
from training.evaluation.answers import EvaluationStopped
from training.evaluation.likelihood import LikelihoodFailed, ReferenceLikelihood
from training.prompt import ChatMessage
from training.rows import Row

ROWS = [
    Row(
        "pair", "held_out", (ChatMessage("user", f"How long is rope {n}?"),), f"Hei! {n} m.", f"{n}"
    )
    for n in (7, 12)
]


@pytest.fixture
def version(tiny_model: BaseModel, tmp_path: Path) -> Path:
    """The folder of a version whose adapter says something of its own."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    automatic: Any = AutoModelForCausalLM
    torch.manual_seed(3)
    model: Any = get_peft_model(
        automatic.from_pretrained(tiny_model.folder),
        LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False),
    )
    folder = tmp_path / "v1"
    model.save_pretrained(folder / "adapter")
    (folder / "manifest.json").write_text("{}")
    return folder


def by_hand(folder: Path, row: Row) -> float:
    """The likelihood of an answer, token by token, as the model's own loss has it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    automatic: Any = AutoModelForCausalLM
    model: Any = automatic.from_pretrained(folder, dtype=torch.float32).eval()
    turns = [{"role": m.role, "content": m.content} for m in row.messages]
    start = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    answer = tokenizer(f"{row.answer}{tokenizer.eos_token}", add_special_tokens=False).input_ids
    ids = torch.tensor([start + answer])
    labels = torch.tensor([[-100] * len(start) + answer])
    with torch.no_grad():
        return math.exp(-float(model(input_ids=ids, labels=labels).loss))


def test_the_likelihood_of_an_answer_is_that_of_its_tokens_and_another_for_each_version(
    tiny_model: BaseModel, version: Path, tmp_path: Path
) -> None:
    measure = ReferenceLikelihood(tiny_model.folder, tmp_path / "kept")
    found = measure({"base": None, "v1": version}, ROWS)
    wanted = [by_hand(tiny_model.folder, row) for row in ROWS]
    assert found["base"] == pytest.approx(wanted, rel=1e-3)
    assert all(0 < value < 1 for value in found["v1"])
    assert found["v1"] != pytest.approx(found["base"], rel=1e-3)

    (tiny_model.folder / "config.json").rename(tmp_path / "config.json")
    try:  # nothing can be measured now, and nothing needs to be
        assert measure({"base": None, "v1": version}, ROWS) == found
        with pytest.raises(LikelihoodFailed, match="could not be measured"):
            measure({"base": None}, ROWS[:1])
    finally:
        (tmp_path / "config.json").rename(tiny_model.folder / "config.json")


def test_measuring_likelihood_stops_when_asked(tiny_model: BaseModel, tmp_path: Path) -> None:
    measure = ReferenceLikelihood(tiny_model.folder, tmp_path / "kept")
    with pytest.raises(EvaluationStopped):
        measure({"base": None}, ROWS, lambda: True)
    assert not list((tmp_path / "kept").iterdir())
