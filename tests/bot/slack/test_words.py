"""The interface in English and Norwegian: nothing is left untranslated."""

from __future__ import annotations

import ast
import string
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

import bot
from bot.slack.words import LANGUAGES, words, words_for

ROOT = Path(bot.__file__).parent

#: What is called with a sentence for a person, and where such calls are.
KEYWORDS: dict[str, Any] = {
    "say": None,
    "plural": (1, 2),
    "NotAllowed": None,
    "CorrectionRefused": None,
    "RetrainRefused": None,
    "QuestionUnusable": None,
    "ScheduleRefused": None,
    "_told": None,
    "word": None,
    "self": None,
}
FILES = [
    *sorted((ROOT / "slack").glob("*.py")),
    *(ROOT / name for name in ("permissions.py", "corrections.py", "retraining.py")),
    *(ROOT / name for name in ("question_text.py", "schedule.py", "prequential_plot.py")),
    ROOT.parent / "training" / "evaluation" / "report.py",
]


def _extracted() -> dict[str, tuple[str, ...]]:
    """Return every sentence in the code, by its English (singular) form."""
    found = {}
    for file in FILES:
        for _, message, _, _ in extract_from_file("python", str(file), keywords=KEYWORDS):
            forms = (message,) if isinstance(message, str) else tuple(message)
            found[forms[0]] = forms
    return found


def _catalogue(language: str) -> Catalog:
    with (ROOT / "slack" / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_translated_with_the_same_placeholders(language: str) -> None:
    catalogue, missing = _catalogue(language), []
    for message, forms in _extracted().items():
        entry = catalogue.get(message)
        if entry is None or entry.fuzzy or not all([entry.string]):
            missing.append(message)
            continue
        translated = (entry.string,) if isinstance(entry.string, str) else entry.string
        assert all(translated), message
        wanted = set().union(*(_placeholders(form) for form in forms))
        assert set().union(*(_placeholders(one) for one in translated)) == wanted, message
    assert missing == []


def test_no_translation_is_left_of_a_sentence_that_is_gone() -> None:
    known = _extracted()
    for entry in _catalogue("nb"):
        first = entry.id if isinstance(entry.id, str) else entry.id[0]
        assert not first or first in known, first


def test_no_sentence_hides_where_it_cannot_be_extracted() -> None:
    """Babel does not look into f-strings, nor at names; the syntax tree does."""
    known = _extracted()
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = node.func.id if isinstance(node.func, ast.Name) else called
            if called not in ("say", "plural", "word") or file.name == "words.py":
                continue
            if file.name == "report.py" and not isinstance(node.args[0], ast.Constant):
                continue
            assert isinstance(node.args[0], ast.Constant), f"{file.name}:{node.lineno}"
            assert node.args[0].value in known, f"{file.name}:{node.lineno}"


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("nb-NO", "nb"),
        ("no-NO", "nb"),
        ("nn-NO", "nb"),
        ("en-GB", "en"),
        ("de-DE", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_language_follows_the_locale(locale: str | None, language: str) -> None:
    assert words_for(locale).language == language


def test_numbers_and_durations_are_written_as_in_the_language() -> None:
    assert words("en").number(12_345) == "12,345"
    assert words("nb").number(12_345) == "12\xa0345"
    assert words("nb").duration(7_500) == "2 timer"
    assert words("en").duration(60) == "60 seconds"
