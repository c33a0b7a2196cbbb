"""Was a text said by one version alone? Every token is checked against the plain model's choice.

Engines that work on many answers at once add numbers in another order, and round to 8 or 16 bits;
so where two tokens are nearly equally likely, either may be said, and texts are not compared
letter by letter. Instead each token is put to the plain float32 model of a version, with all
before it: a greedy version says only tokens that are the best, or as good as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.base_model import BaseModel
from training.prompt import ChatMessage

#: By how much a token's logit may stay below the best one's. Measured: at most 0.27 for what a
#: version says itself with sixteen askers, at least 0.9 for what only the other one says.
AS_GOOD = 0.5


def worst_gap(
    model: Any, base: BaseModel, messages: Sequence[ChatMessage], text: str
) -> tuple[float, int]:
    """Return how far the worst token of `text` is from the model's own choice, and its place.

    Args:
        model: The plain model of a version.
        base: The base model, for the tokenizer.
        messages: What was asked.
        text: What was answered.
    """
    import torch
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base.folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in messages],
        add_generation_prompt=True,
        tokenize=False,
    )
    asked = tokenizer.encode(prompt, add_special_tokens=False)
    said = tokenizer.encode(text, add_special_tokens=False)
    with torch.no_grad():
        logits = model(torch.tensor([asked + said])).logits[0, len(asked) - 1 : -1]
    chosen = logits.gather(1, torch.tensor(said)[:, None])[:, 0]
    gaps = logits.max(dim=1).values - chosen
    return float(gaps.max()), int(gaps.argmax())
