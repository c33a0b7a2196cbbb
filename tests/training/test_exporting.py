from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.base_model import BaseModel
from training.exporting import ExportRefused, export_version
from training.manifest import ManifestBroken, verify_manifest, write_manifest
from training.merge import load_merged
from training.version_files import write_version

CARD = "# Model card: v1\n\n**Goal.** Answer colleagues.\n"


@pytest.fixture(scope="module")
def version(tiny_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of the tiny model, whose adapter counts by a half."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("version")
    torch.manual_seed(2)
    automatic: Any = AutoModelForCausalLM
    model = automatic.from_pretrained(tiny_model.folder)
    config = LoraConfig(r=2, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    adapted.save_pretrained(folder / "made")
    (folder / "made" / "README.md").unlink(missing_ok=True)
    write_manifest(folder / "made", {"run": 1})
    write_version(tiny_model, folder / "made", folder / "v1", 0.5, lambda _share: None)
    return folder / "v1"


def test_an_adapter_is_given_out_with_its_card_and_names_its_base(
    tiny_model: BaseModel, version: Path, tmp_path: Path
) -> None:
    made = export_version(tiny_model, version, "adapter", tmp_path / "out", card=CARD)
    config = json.loads((made / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny-model"
    assert config["lora_alpha"] == 4.0
    card = (made / "README.md").read_text()
    assert card.startswith('---\nbase_model: "tiny-model"\nlibrary_name: peft\n---\n')
    assert "**Goal.** Answer colleagues." in card
    assert "PeftModel" in card
    assert str(tiny_model.folder) not in "".join(
        path.read_text() for path in made.iterdir() if path.suffix in (".md", ".json")
    )
    assert verify_manifest(made).lineage["form"] == "adapter"


def test_merged_weights_load_alone_and_say_what_base_and_adapter_say(
    tiny_model: BaseModel, version: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = export_version(tiny_model, version, "merged", tmp_path / "out", card=CARD)
    automatic: Any = AutoModelForCausalLM
    alone, together = automatic.from_pretrained(made), load_merged(tiny_model, version / "adapter")
    base = automatic.from_pretrained(tiny_model.folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(made)
    ids = torch.tensor([tokenizer.encode("How much holiday do we get?")])
    with torch.no_grad():
        said, wanted, plain = (model(ids).logits for model in (alone, together, base))
    assert torch.allclose(said, wanted, atol=1e-5)
    assert not torch.allclose(said, plain, atol=1e-3)
    assert tokenizer.chat_template


def test_a_gguf_file_is_the_one_that_answers_with_a_file_for_ollama(
    tiny_model: BaseModel, version: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(version, folder)
    (folder / "manifest.json").unlink()
    (folder / "model.gguf").write_bytes(b"GGUF and so on")
    write_manifest(folder, {"run": 1})
    made = export_version(tiny_model, folder, "gguf", tmp_path / "out", card=CARD)
    assert (made / "model.gguf").read_bytes() == b"GGUF and so on"
    assert (made / "Modelfile").read_text() == "FROM ./model.gguf\n"
    assert "llama-server -m model.gguf" in (made / "README.md").read_text()


def test_without_a_gguf_file_of_the_base_the_way_there_is_said(
    tiny_model: BaseModel, version: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefused, match=r"convert_hf_to_gguf\.py"):
        export_version(replace(tiny_model, gguf=None), version, "gguf", tmp_path / "o", card=CARD)
    assert not list(tmp_path.iterdir())


def test_a_damaged_version_is_not_given_out(
    tiny_model: BaseModel, version: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(version, folder)
    weights = folder / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ManifestBroken, match="damaged"):
        export_version(tiny_model, folder, "adapter", tmp_path / "out", card=CARD)
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(tiny_model: BaseModel, version: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="there already"):
        export_version(tiny_model, version, "adapter", tmp_path, card=CARD)
