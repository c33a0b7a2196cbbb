from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.question_text import QuestionUnusable, clean_question


def test_a_mention_is_not_part_of_the_question() -> None:
    assert clean_question("<@U123> how many days?") == "how many days?"


def test_links_become_their_label_and_entities_their_character() -> None:
    assert clean_question("is <https://x.no/a|this page> &lt;right&gt;?") == "is this page <right>?"


@pytest.mark.parametrize("empty", ["", "   ", "<@U123>", "\x00\x07", "\u202e\u2066", "\U000e0041"])
def test_a_message_without_a_question_gets_a_clear_sentence(empty: str) -> None:
    with pytest.raises(QuestionUnusable, match="no question"):
        clean_question(empty)


@pytest.mark.parametrize("emoji", [":tada: :wave:", "🎉🎉", "?!", "👩‍👩‍👧"])
def test_a_message_of_emoji_alone_gets_a_clear_sentence(emoji: str) -> None:
    with pytest.raises(QuestionUnusable, match="any words"):
        clean_question(emoji)


def test_a_message_of_100_kB_is_refused_with_both_numbers() -> None:
    with pytest.raises(QuestionUnusable, match=r"100,000 characters.*4,000"):
        clean_question("a" * 100_000)


def test_right_to_left_text_keeps_its_words_and_loses_its_overrides() -> None:
    assert clean_question("\u202eكم يوم إجازة؟\u202c") == "كم يوم إجازة؟"


def test_characters_nobody_can_see_are_taken_out() -> None:
    assert clean_question("par\u200bental\x07 leave\U000e0049?") == "parental leave?"


@given(st.text(st.characters(codec=None), max_size=300))
def test_whatever_comes_in_is_refused_or_safe_to_store(raw: str) -> None:
    try:
        text = clean_question(raw)
    except QuestionUnusable:
        return
    text.encode("utf-8")
    assert text
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
