from __future__ import annotations

import pytest

from knowledge.language import detect_language
from knowledge.words import content_words, stems


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many days of parental leave do I get?", "en"),
        ("parental leave", "en"),
        ("Hvor mange feriedager har jeg?", "no"),
        ("Kan jeg overføre ferie til neste år?", "no"),
        ("Korleis fører eg timar?", "no"),
        ("hjemmekontor", "en"),  # no evidence: one word that is in no list
        ("måltider på reise", "no"),
        ("Wie viele Urlaubstage habe ich im Jahr und wo kann ich sie jetzt beantragen?", "other"),
        ("сколько дней отпуска", "other"),
        ("有多少天假期", "other"),
        ("", "en"),
        ("🎉🎉🎉", "en"),
        ("12345 !!", "en"),
    ],
)
def test_the_language_of_a_question_is_told_by_its_function_words(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_a_huge_text_is_only_looked_at_from_its_beginning() -> None:
    assert detect_language("the and of with " * 500_000) == "en"


def test_content_words_leave_out_what_carries_no_subject() -> None:
    assert content_words("How do I book a flight, please?") == ["book", "flight"]
    assert content_words("Hvordan kan jeg bestille fly?") == ["bestille", "fly"]
    assert content_words("who are you") == ["who", "are", "you"]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "reimbursements", "reimbursement"),
        ("en", "café", "cafe"),
        ("no", "feriedagene", "feriedag"),
        ("no", "lønninger", "lonning"),
    ],
)
def test_forms_of_a_word_have_one_stem(language: str, one: str, other: str) -> None:
    assert stems([one], language) == stems([other], language)
