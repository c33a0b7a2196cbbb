"""Rows as token ids, with the loss on the answer only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.prompt import ChatMessage

#: The label of a token that is read but not learned (torch's `ignore_index`).
NOT_LEARNED = -100


def tokenize(
    messages: Sequence[ChatMessage], answer: str, tokenizer: Any
) -> tuple[list[int], list[int]]:
    """Return the token ids and labels of a question with its answer.

    The tokens of the answer and the end-of-turn token after it are learned; whatever the chat
    template puts after that token is cut off, as generation stops there.

    Args:
        messages: The question, as `training.prompt` renders it.
        answer: What the assistant should say.
        tokenizer: A Hugging Face tokenizer with a chat template.
    """
    turns = [{"role": message.role, "content": message.content} for message in messages]
    prompt: list[int] = tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, tokenize=True, return_dict=False
    )
    whole: list[int] = tokenizer.apply_chat_template(
        [*turns, {"role": "assistant", "content": answer}], tokenize=True, return_dict=False
    )
    shared = 0
    for left, right in zip(prompt, whole, strict=False):
        if left != right:
            break
        shared += 1
    end = len(whole)
    while (
        end > shared
        and tokenizer.eos_token_id in whole[shared:end]
        and (whole[end - 1] != tokenizer.eos_token_id)
    ):
        end -= 1
    return whole[:end], [NOT_LEARNED] * shared + whole[shared:end]
