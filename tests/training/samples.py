"""Pairs, passages and answers that the tests of training are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from storage.pairs import Pair, PairSource
from training.prompt import Persona, Voice
from training.recipe import Recipe
from training.rows import FindSection, Retrieve, RetrievedPassage, RowMaker

PERSONA = Persona("Havn", "Answer colleagues", Voice("Warm and brief. Say Hei! first."))


def section(number: int) -> RetrievedPassage:
    """Return a section of a handbook with a fact of its own."""
    return RetrievedPassage(
        uri=f"handbook/{number}.md",
        title=f"Topic {number}",
        heading="Limits",
        text=f"For topic {number} the limit is {100 + number} kroner a year.",
    )


def pair(number: int, *, split: str = "train", group: str | None = None, **changes: object) -> Pair:
    """Return an approved pair that rests on the section of the same number."""
    fields: dict[str, object] = {
        "id": number,
        "input": f"What is the limit for topic {number}?",
        "output": f"Hei! The limit is {100 + number} kroner a year. Just ask!",
        "context": None,
        "language": "en",
        "audience": "everyone",
        "state": "approved",
        "author": "U1",
        "reason": None,
        "decided_by": None,
        "origin": "import",
        "answer_id": None,
        "split": split,
        "group_key": group or f"topic {number}",
        "sources": (PairSource(f"handbook/{number}.md", "Limits"),),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "decided_at": None,
    }
    return Pair(**(fields | changes))  # type: ignore[arg-type]


def find_section(uri: str, _heading: str) -> RetrievedPassage | None:
    """Return the section at an address of the sample handbook."""
    number = uri.removeprefix("handbook/").removesuffix(".md")
    return section(int(number)) if number.isdigit() else None


def retrieve_right(question: str) -> Sequence[RetrievedPassage]:
    """Find the right section first, and two others."""
    number = int("".join(letter for letter in question if letter.isdigit()) or 0)
    return [section(number), section(number + 500), section(number + 501)]


def retrieve_wrong(_question: str) -> Sequence[RetrievedPassage]:
    """Find three sections, never the right one."""
    return [section(number) for number in (901, 902, 903)]


def count_words(text: str) -> int:
    """Count words, in place of tokens."""
    return len(text.split())


#: How not knowing is put.
UNKNOWING = {"en": "Hei! I don't know that one.", "no": "Hei! Det vet jeg ikke."}


def row_maker(
    recipe: Recipe | None = None,
    *,
    retrieve: Retrieve = retrieve_right,
    find_section: FindSection = find_section,
) -> RowMaker:
    """Return what makes rows from the sample handbook."""
    return RowMaker(
        PERSONA, recipe or Recipe(), retrieve, find_section, count_words, dict(UNKNOWING)
    )
