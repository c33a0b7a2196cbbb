"""The plainest way to run a model, to compare engines and files with."""

from __future__ import annotations

from typing import Any

from training.base_model import BaseModel


def greedy(model: Any, base: BaseModel, prompt: str, max_new_tokens: int) -> str:
    """Return what `model` says to `prompt`, one token after the other, nothing clever."""
    import torch
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base.folder)
    tokens = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=False,
    )
    with torch.no_grad():
        made = model.generate(tokens, max_new_tokens=max_new_tokens, do_sample=False)
    return str(tokenizer.decode(made[0, tokens.shape[1] :], skip_special_tokens=True)).strip()


def load_plain(base: BaseModel) -> Any:
    """Return the base model in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    automatic: Any = AutoModelForCausalLM
    return automatic.from_pretrained(base.folder, dtype=torch.float32)
