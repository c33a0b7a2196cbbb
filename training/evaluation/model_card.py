"""The model card: what a version is for, what it was made of, what it reached, what it cannot do.

The sections follow "Model Cards for Model Reporting" (Mitchell et al. 2019), as far as a company's
own model needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LANGUAGES = {"en": "English", "no": "Norwegian", "other": "another language"}


@dataclass(frozen=True)
class SnapshotFacts:
    """What a version learned from: pairs to learn and to measure, replayed general examples."""

    digest: str
    train: int
    held_out: int
    replay: int


@dataclass(frozen=True)
class CardFacts:
    """What is known of a version besides its numbers.

    Attributes:
        version: Its name.
        company: Whose it is.
        goal: What it is for, in one sentence.
        base: The base model's name.
        made_at: When the version came to be, as an ISO date.
        gate: What the gate said.
        snapshot: What it learned from; None for the base.
        languages: The languages of the held-out questions.
    """

    version: str
    company: str
    goal: str
    base: str
    made_at: str
    gate: str
    snapshot: SnapshotFacts | None
    languages: tuple[str, ...]


def language_names(codes: Iterable[str]) -> tuple[str, ...]:
    """Return what people call the languages of questions, in the alphabet's order."""
    return tuple(sorted(_LANGUAGES.get(code, code) for code in codes))


def model_card(
    facts: CardFacts, tables: Sequence[tuple[str, str]], plots: Sequence[str] = ()
) -> str:
    """Return the card as Markdown.

    Args:
        facts: What is known of the version.
        tables: Headings with tables in Markdown.
        plots: Names of picture files that lie beside the card.
    """
    numbers = [f"### {heading}\n\n{table}" for heading, table in tables]
    pictures = [f"![The numbers above with their intervals]({name})" for name in plots]
    parts = [
        f"# Model card: {facts.version}",
        f"**Goal.** {facts.goal}",
        "## What it is",
        _what_it_is(facts),
        "## What it reached",
        *numbers,
        *pictures,
        "## What it is not for, and where its numbers end",
        _limits(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _what_it_is(facts: CardFacts) -> str:
    lines = [
        f"- Base model: {facts.base}",
        f"- Speaks for: {facts.company}",
        f"- Version: {facts.version}, of {facts.made_at}; the gate: {facts.gate}",
    ]
    if facts.snapshot is None:
        lines.append("- Trained on nothing of the company's: this is the base model as it came.")
        return "\n".join(lines)
    snapshot = facts.snapshot
    return "\n".join(
        [
            *lines,
            f"- Snapshot: `{snapshot.digest}` (SHA-256 of its rows)",
            f"- Learned from {snapshot.train} pairs and {snapshot.replay} general examples; "
            f"{snapshot.held_out} pairs were kept for measuring and never trained on.",
        ]
    )


def _limits(facts: CardFacts) -> str:
    languages = " and ".join(facts.languages) or "none"
    lines = [
        "- It answers from passages. Asked without them it makes things up; what is shown to "
        "people always goes through the check of every sentence.",
        "- It was measured on this company's questions. The numbers say nothing about other tasks.",
        f"- Languages of the questions it was measured on: {languages}. Others were not measured.",
        "- Right and wrong are told by program: an answer is right when it holds the numbers and "
        "enough of the words of an expert's, or the facts that were written down. It is stricter "
        "with numbers and more lenient with negations than a person would be.",
        "- Wrong documents give wrong answers: facts are not stored in the model, they are read.",
    ]
    return "\n".join(lines)
