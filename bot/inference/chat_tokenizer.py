"""What every engine needs of a model's tokenizer: a chat as tokens, and tokens as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.inference.language_model import GenerationOptions, PromptTooLong
from training.prompt import ChatMessage


class ChatTokenizer:
    """A base model's tokenizer, with its chat template and its context length."""

    def __init__(self, folder: Path, most_tokens: int | None = None) -> None:
        """Read the tokenizer and the configuration.

        Args:
            folder: The base model's folder.
            most_tokens: How many tokens there is memory for, where that may be fewer than the
                model's context.

        Raises:
            OSError: a file is missing.
            ValueError: a file is damaged.
        """
        from transformers import AutoConfig, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        config: Any = AutoConfig.from_pretrained(folder)
        context = int(config.max_position_embeddings)
        self.context_tokens = context if most_tokens is None else min(context, most_tokens)
        ends = {config.eos_token_id, self._tokenizer.eos_token_id}
        #: The tokens that end an answer.
        self.end_tokens = frozenset(int(token) for token in ends if token is not None)

    def count(self, text: str) -> int:
        """Return how many tokens `text` has."""
        return len(self._encode(text))

    def render(self, messages: Sequence[ChatMessage], options: GenerationOptions) -> list[int]:
        """Return the tokens of a chat, up to where the assistant's turn begins.

        Raises:
            PromptTooLong: they leave no room for the answer.
        """
        text = self._tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in messages],
            tokenize=False,
            add_generation_prompt=True,
        )
        tokens = self._encode(text)
        room = self.context_tokens - options.max_new_tokens
        if len(tokens) > room:
            raise PromptTooLong(len(tokens), room)
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens`, special tokens left out."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))
