"""Whether another base model can be asked at all: known before anybody is asked for minutes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.inference.chat_tokenizer import ChatTokenizer
from bot.inference.language_model import GenerationOptions, PromptTooLong
from bot.inference.transformers_engine import CPU_BLOCKS, PAGE_SIZE
from training.base_model import BaseModel
from training.memory_plan import GB
from training.model_shape import ShapeUnknown, read_shape
from training.planner import SPARE, Device
from training.prompt import ChatMessage


class ChallengeRefused(Exception):
    """Nothing was measured; the message says what is missing."""


def refuse_unknown(base: BaseModel) -> None:
    """Raise `ChallengeRefused` if it is of a kind that no engine here knows."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    file = base.folder / "config.json"
    try:
        kind = json.loads(file.read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise ChallengeRefused(f"{file} cannot be read: {error}.") from error
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ChallengeRefused(
            f"{file} says that it is of the kind {kind!r}, which is none of the language models "
            "that can be loaded here. Name another base model."
        )


def refuse_too_large(base: BaseModel, device: Device) -> None:
    """Raise `ChallengeRefused` if the memory that is free is too little to ask it.

    Weights are loaded as wide as they are computed with, four bytes each on a processor and two
    on a card, also where they are made smaller afterwards; the rest is the cache.
    """
    try:
        shape = read_shape(base.folder, base.name)
    except ShapeUnknown as unknown:
        raise ChallengeRefused(f"{base.name} cannot be measured: {unknown}") from unknown
    width = 2 if device.kind == "cuda" else 4
    weights = shape.parameters * width
    # On a card the cache takes what is left.
    tokens = 0 if device.kind == "cuda" else CPU_BLOCKS * PAGE_SIZE
    cache = tokens * 2 * shape.layers * shape.keys * width
    if weights + cache > device.free * (1 - SPARE):
        raise ChallengeRefused(
            f"Asking {base.name} takes about {(weights + cache) / GB:.2f} GB of memory (weights "
            f"{weights / GB:.2f}, keys and values {cache / GB:.2f}), and {device.free / GB:.2f} "
            f"GB are free on {device.name}. Free some, or measure it on a larger machine."
        )


def refuse_unreadable(
    base: BaseModel, chats: Sequence[Sequence[ChatMessage]], answer_tokens: int
) -> None:
    """Raise `ChallengeRefused` if its tokenizer cannot render the chats, or they do not fit."""
    from jinja2 import TemplateError

    options = GenerationOptions(max_new_tokens=answer_tokens)
    try:
        tokenizer = ChatTokenizer(base.folder)
        for chat in chats:
            tokenizer.render(chat, options)
    except PromptTooLong as long:
        raise ChallengeRefused(
            f"The context of {base.name} is too short for the questions: {long} Name a base model "
            "with a longer context, or lower `max_tokens` under [training]."
        ) from long
    except (AttributeError, KeyError, OSError, TemplateError, TypeError, ValueError) as error:
        raise ChallengeRefused(
            f"{base.name} cannot be asked as a chat with a system message: its tokenizer or its "
            f"chat template fails ({error}). Name a base model that was made to follow "
            "instructions."
        ) from error
