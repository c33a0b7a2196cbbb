"""Text comes out of tokens whole: no half characters, nothing lost, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.inference.chat_tokenizer import ChatTokenizer
from bot.inference.language_model import Generation, InferenceFailed, TextFromTokens
from training.base_model import BaseModel


@pytest.fixture(scope="module")
def tokenizer(base_model: BaseModel) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base_model.folder)


@pytest.fixture(scope="module")
def chat(base_model: BaseModel) -> ChatTokenizer:
    return ChatTokenizer(base_model.folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=60))
def test_pieces_fed_token_by_token_make_up_the_text(
    text: str, chat: ChatTokenizer, tokenizer: Any
) -> None:
    tokens = list(tokenizer.encode(text, add_special_tokens=False))
    assume("\ufffd" not in chat.decode(tokens))  # the tokenizer knows no rare planes of Unicode
    feeder = TextFromTokens(chat.decode)
    pieces = [feeder.feed([token]) for token in tokens]
    pieces.append(feeder.flush())
    assert "".join(pieces) == chat.decode(tokens)
    assert not any("\ufffd" in piece for piece in pieces)


def test_an_emoji_of_several_tokens_comes_in_one_piece(chat: ChatTokenizer, tokenizer: Any) -> None:
    tokens = list(tokenizer.encode("🧶", add_special_tokens=False))
    assert len(tokens) > 1
    feeder = TextFromTokens(chat.decode)
    assert [feeder.feed([token]) for token in tokens] == [""] * (len(tokens) - 1) + ["🧶"]


def test_a_failure_reaches_whoever_reads_after_what_was_said() -> None:
    generation = Generation()
    generation.add("Half an ")
    generation.end(RuntimeError("out of memory"))
    pieces = iter(generation)
    assert next(pieces) == "Half an "
    with pytest.raises(InferenceFailed, match="out of memory"):
        next(pieces)
