from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.demo import company_files
from bot.evaluation_questions import QuestionFileInvalid, read_questions
from training.evaluation.facts import holds_facts


def read(folder: Path, content: object) -> object:
    file = folder / "questions.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_questions(file)


def test_a_list_of_questions_with_pages_and_facts_is_read(tmp_path: Path) -> None:
    rows = [
        {"question": "Limit?", "pages": ["a.md"], "facts": ["5", ["six", "6"]]},
        {"question": "Piano?", "pages": []},
        {"question": "Who?", "pages": ["b.md", "c.md"]},
    ]
    limit, piano, who = read(tmp_path, rows)  # type: ignore[misc]
    assert (limit.facts, limit.pages) == ((("5",), ("six", "6")), ("a.md",))
    assert not piano.has_answer
    assert who.has_answer
    assert not who.can_be_judged_alone


def test_pairs_can_be_questions_too(tmp_path: Path) -> None:
    row = {"input": "Limit?", "output": "Hei! Five.", "context": "a.md#Limits", "audience": "C1"}
    (asked,) = read(tmp_path, json.dumps(row) + "\n\n")  # type: ignore[misc]
    assert (asked.reference, asked.pages, asked.audience) == ("Hei! Five.", ("a.md",), "C1")


def test_a_reference_without_a_page_has_an_answer_somewhere(tmp_path: Path) -> None:
    (asked,) = read(tmp_path, [{"question": "Limit?", "reference": "Five."}])  # type: ignore[misc]
    assert asked.has_answer
    assert asked.pages is None


def test_the_sample_company_s_questions_are_read() -> None:
    questions = read_questions(company_files.FOLDER / "questions.jsonl")
    assert any(not question.has_answer for question in questions)
    (first, *_) = questions
    assert holds_facts("In the year you turn 60 you get 5 more days.", first.facts)
    assert first.pages == ("people/holiday.md",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[{]", "neither a JSON list nor JSONL"),
        ("what?", "neither a JSON list nor JSONL"),
        ([{"pages": []}], "question 1 lacks the field `question`"),
        (["what?"], "question 1 is no object"),
        ([{"question": "a"}, {"question": "b", "pages": "a.md"}], "question 2: `pages` is a list"),
        ([{"question": "b", "facts": "5"}], "`facts` is a list"),
        ([{"question": "b", "facts": [[]]}], "can never be held"),
    ],
)
def test_what_is_no_file_of_questions_is_refused_with_the_place(
    tmp_path: Path, content: object, said: str
) -> None:
    with pytest.raises(QuestionFileInvalid, match=said.replace("[", r"\[")):
        read(tmp_path, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileInvalid, match=r"nothing\.json cannot be read"):
        read_questions(tmp_path / "nothing.json")
