"""The one rendering of question, passages and voice as chat messages.

Training, evaluation and answering all use it, so that a version is served exactly what it was
trained on. `PROMPT_VERSION` changes whenever the rendering does, and is kept with every snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

PROMPT_VERSION = "1"

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ChatMessage:
    """One turn of a chat, as chat templates take it."""

    role: Role
    content: str


@dataclass(frozen=True)
class VoiceExample:
    """A question with an answer as the company would write it."""

    question: str
    answer: str


@dataclass(frozen=True)
class Voice:
    """How the company writes."""

    description: str = ""
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    examples: tuple[VoiceExample, ...] = ()


@dataclass(frozen=True)
class PromptPassage:
    """What the model sees of a passage. Its number is its place in the list, from 1."""

    title: str
    heading: str
    text: str


@dataclass(frozen=True)
class Persona:
    """Who speaks: the company's name, its voice, and what the model is for."""

    company: str
    goal: str
    voice: Voice = field(default_factory=Voice)


def render_question(
    question: str, passages: Sequence[PromptPassage], persona: Persona
) -> tuple[ChatMessage, ...]:
    """Render a company question as chat messages; the assistant's turn is what comes next.

    The system message comes first and is the same for every question, so that an engine with
    a prefix cache reads it once.
    """
    return (
        ChatMessage("system", _system(persona)),
        ChatMessage("user", f"{_sources(passages)}\n\nQuestion: {question.strip()}"),
    )


def render_general(prompt: str) -> tuple[ChatMessage, ...]:
    """Render a general prompt (a probe, a replay example): no company, no sources."""
    return (ChatMessage("user", prompt.strip()),)


def _system(persona: Persona) -> str:
    voice = persona.voice.description.strip()
    return (
        f"You answer colleagues at {persona.company}. {voice} "
        "Use only the sources and cite them like [1]. "
        "If they do not hold the answer, say that you do not know."
    )


def _sources(passages: Sequence[PromptPassage]) -> str:
    if not passages:
        return "Sources: none"
    blocks = (
        f"[{n}] {passage.title} > {passage.heading}\n{passage.text.strip()}"
        for n, passage in enumerate(passages, start=1)
    )
    return "Sources:\n" + "\n\n".join(blocks)


_CITATION = re.compile(r"\s*\[(\d{1,2})\]")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])(?=\s)")
_WORD = re.compile(r"\w+")


def cited_numbers(text: str) -> tuple[int, ...]:
    """Return the citation numbers in `text`, each once, in order of appearance."""
    return tuple(dict.fromkeys(int(n) for n in _CITATION.findall(text)))


def without_citations(text: str) -> str:
    """Return `text` with every `[n]` taken out."""
    return _CITATION.sub("", text).strip()


def with_citation(text: str, number: int, passage: str) -> str:
    """Return `text` with `[number]` after the sentence that shares most words with `passage`.

    A text that already cites is returned as it is. The place is deterministic: of two
    sentences that share equally much, the first is marked.
    """
    if cited_numbers(text):
        return text
    sentences = _BETWEEN_SENTENCES.split(text)
    known = {word.lower() for word in _WORD.findall(passage)}
    shared = [
        sum(1 for word in _WORD.findall(sentence) if len(word) > 2 and word.lower() in known)
        for sentence in sentences
    ]
    best = shared.index(max(shared))
    marked = sentences[best].rstrip()
    end = marked[-1:] if marked.endswith((".", "!", "?")) else ""
    sentences[best] = f"{marked.removesuffix(end)} [{number}]{end}"
    return "".join(sentences)
