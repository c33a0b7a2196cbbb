"""The one rendering of question, passages and voice as chat messages.

Training, evaluation and answering all use it, so that a version is served exactly what it was
trained on. `PROMPT_VERSION` changes whenever the rendering does, and is kept with every snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from training.untrusted_text import as_data

PROMPT_VERSION = "2"

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


#: "Just give us a shout." has five.
_WORDS_OF_A_SAYING = 5


@dataclass(frozen=True)
class Voice:
    """How the company writes."""

    description: str = ""
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    examples: tuple[VoiceExample, ...] = ()

    @property
    def sayings(self) -> tuple[str, ...]:
        """The company's own phrases among `always`: those that answers hold word for word.

        What is longer and stands alone is advice ("The fact comes first."): a model that repeats
        it has said nothing.
        """
        answers = " ".join(example.answer for example in self.examples).casefold()
        phrases = [
            phrase.strip()
            for rule in self.always
            for phrase in rule.split("|")
            if "|" in rule
            or len(rule.split()) <= _WORDS_OF_A_SAYING
            or rule.strip().casefold() in answers
        ]
        return tuple(phrase for phrase in phrases if phrase)


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
    question: str,
    passages: Sequence[PromptPassage],
    persona: Persona,
    *,
    teaches_voice: bool = False,
) -> tuple[ChatMessage, ...]:
    """Render a company question as chat messages; the assistant's turn is what comes next.

    The system message comes first and is the same for every question, so that an engine with
    a prefix cache reads it once. Passages and question are data: see `training.untrusted_text`.

    Args:
        question: What was asked.
        passages: What may be used for the answer, best first.
        persona: Who speaks.
        teaches_voice: Whether the voice is taught with rules and examples. A version that was
            tuned knows its voice and is asked without; training never teaches it in the prompt.
    """
    asked = " ".join(as_data(question).split())
    return (
        ChatMessage("system", _system(persona) + (lesson(persona) if teaches_voice else "")),
        ChatMessage("user", f"{_sources(passages)}\n\nQuestion: {asked}"),
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


def lesson(persona: Persona) -> str:
    """Return what the system message of a model that was not tuned ends with: the voice."""
    voice = persona.voice
    rules = [f"- {rule}" for rule in voice.always if "|" not in rule]
    rules += [f"- Never write: {', '.join(voice.never)}."] if voice.never else []
    examples = [
        f"Question: {example.question}\nAnswer: {example.answer}" for example in voice.examples
    ]
    taught = ""
    if rules:
        taught += "\nHow we write:\n" + "\n".join(rules)
    if examples:
        taught += "\nHow we have answered before:\n" + "\n".join(examples)
    return taught


def _sources(passages: Sequence[PromptPassage]) -> str:
    if not passages:
        return "Sources: none"
    blocks = (
        f"[{n}] {_line(passage.title)} > {_line(passage.heading)}\n{as_data(passage.text).strip()}"
        for n, passage in enumerate(passages, start=1)
    )
    return "Sources:\n" + "\n\n".join(blocks)


def _line(text: str) -> str:
    return " ".join(as_data(text).split())


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
