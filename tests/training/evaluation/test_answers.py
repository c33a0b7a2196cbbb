from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from training.evaluation.answers import BATCH, AnswerBook, EvaluationStopped
from training.prompt import ChatMessage, render_general

CHATS = [render_general(f"What is {n} + 1?") for n in range(BATCH + 6)]


class Model:
    """Repeats the question, and remembers how many it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, chats: Sequence[tuple[ChatMessage, ...]], max_tokens: int) -> list[str]:
        self.asked += len(chats)
        return [f"{chat[-1].content} ({max_tokens})" for chat in chats]


def test_answers_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    answers = AnswerBook(tmp_path / "v1.jsonl").answer(CHATS, 9, Model())
    assert answers == [f"What is {n} + 1? (9)" for n in range(len(CHATS))]


def test_nobody_is_asked_twice_not_even_after_a_restart(tmp_path: Path) -> None:
    model, path = Model(), tmp_path / "v1.jsonl"
    AnswerBook(path).answer([*CHATS, *CHATS], 9, model)
    again = AnswerBook(path)
    assert again.missing(CHATS, 9) == 0
    again.answer(CHATS, 9, model)
    assert model.asked == len(CHATS)


def test_another_limit_is_another_question(tmp_path: Path) -> None:
    model, book = Model(), AnswerBook(tmp_path / "v1.jsonl")
    book.answer(CHATS[:1], 9, model)
    assert book.answer(CHATS[:1], 12, model) == ["What is 0 + 1? (12)"]


def test_a_stop_keeps_what_was_answered(tmp_path: Path) -> None:
    model, path = Model(), tmp_path / "v1.jsonl"
    counted: list[int] = []
    with pytest.raises(EvaluationStopped):
        AnswerBook(path).answer(CHATS, 9, model, counted.append, lambda: bool(counted))
    assert AnswerBook(path).missing(CHATS, 9) == len(CHATS) - BATCH


def test_a_line_that_a_crash_cut_off_is_asked_again(tmp_path: Path) -> None:
    model, path = Model(), tmp_path / "v1.jsonl"
    AnswerBook(path).answer(CHATS[:3], 9, model)
    path.write_text(path.read_text(encoding="utf-8")[:-10], encoding="utf-8")
    answers = AnswerBook(path).answer(CHATS[:3], 9, model)
    assert answers[2] == "What is 2 + 1? (9)"
    assert model.asked == 4
    assert AnswerBook(path).missing(CHATS[:3], 9) == 0
