"""A version for use elsewhere: as adapter, as whole safetensors, or as GGUF, with its card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from training.base_model import BaseModel
from training.manifest import flush_folder, verify_manifest, write_manifest
from training.merge import MergeFailed, load_merged, merge_to_gguf
from training.version_files import ADAPTER, MERGED

Form = Literal["adapter", "merged", "gguf"]
FORMS: tuple[Form, ...] = get_args(Form)

#: What the card is called: model hubs show it under this name.
CARD = "README.md"

_LIBRARY = {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}

_USE = {
    "adapter": """\
Load it on top of the base model, which is not in this folder:

    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained("the base model")
    model = PeftModel.from_pretrained(base, "this folder")

A vLLM server takes it with `--enable-lora --lora-modules name=this-folder`.""",
    "merged": """\
The adapter is added into the weights, so that it loads like any other model:

    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained("this folder")
    tokenizer = AutoTokenizer.from_pretrained("this folder")""",
    "gguf": """\
Weights in 8 bits (Q8_0) with the tokenizer and the chat template in one file:

    llama-server -m model.gguf
    ollama create my-company -f Modelfile""",
}


class ExportRefused(Exception):
    """The version cannot be given out in this form; the message says why and what can be done."""


def export_version(
    base: BaseModel,
    version: Path,
    form: Form,
    target: Path,
    *,
    card: str,
    manifest: str | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Path:
    """Write a version in one form; the folder appears only when it is whole.

    Args:
        base: The base model that the version was made from.
        version: The version's folder.
        form: Which form.
        target: The folder to write; it must not be there.
        card: The model card, in Markdown.
        manifest: The SHA-256 that the version's manifest must have.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        ExportRefused: the target is there already, or the form cannot be made of this base.
        ManifestBroken: the version's files are not what they were.
        MergeFailed: the adapter does not fit the base.
    """
    if target.exists():
        raise ExportRefused(f"{target} is there already. Name a folder that is not.")
    made_of = verify_manifest(version, manifest)
    temporary = target.with_name(f".tmp-{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _write(base, version, form, temporary, progress)
        (temporary / CARD).write_text(_card(base, form, card), encoding="utf-8")
        write_manifest(
            temporary, {**made_of.lineage, "version_manifest": made_of.sha256, "form": form}
        )
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    flush_folder(target.parent)
    progress(1.0)
    return target


def _write(
    base: BaseModel, version: Path, form: Form, target: Path, progress: Callable[[float], None]
) -> None:
    adapter = version / ADAPTER
    if form == "adapter":
        shutil.copytree(adapter, target, dirs_exist_ok=True)
        _name_base(target / "adapter_config.json", base.name)
        return
    # The version's adapter has its scale in it already.
    if form == "merged":
        from transformers import AutoTokenizer

        model = load_merged(base, adapter)
        progress(0.5)
        model.save_pretrained(target, safe_serialization=True)
        tokenizer: Any = AutoTokenizer.from_pretrained(base.folder)
        tokenizer.save_pretrained(target)
        return
    if (version / MERGED).exists():
        shutil.copyfile(version / MERGED, target / MERGED)
    elif base.gguf is None:
        raise ExportRefused(
            f"{base.name} came without a GGUF file, whose tokenizer and metadata would be needed. "
            "Export the version as `merged`; llama.cpp's convert_hf_to_gguf.py makes a GGUF "
            "file of that."
        )
    else:
        merge_to_gguf(base, adapter, target / MERGED, progress=progress)
    (target / "Modelfile").write_text(f"FROM ./{MERGED}\n", encoding="utf-8")


def _name_base(config: Path, name: str) -> None:
    """Name the base in an adapter's settings instead of a folder of this machine."""
    try:
        described = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MergeFailed(f"{config} cannot be read: {error}.") from error
    described["base_model_name_or_path"] = name
    config.write_text(json.dumps(described, indent=2), encoding="utf-8")


def _card(base: BaseModel, form: Form, card: str) -> str:
    """Return the card with what hubs read at its top, and how this form is used at its end."""
    head = f"---\nbase_model: {json.dumps(base.name)}\nlibrary_name: {_LIBRARY[form]}\n---\n"
    return f"{head}\n{card.strip()}\n\n## How to use it\n\n{_USE[form]}\n"
