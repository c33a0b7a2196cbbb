"""Asking one version after the other the same questions, in each of its ways of answering."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from bot.answering import Answering
from bot.champion import Champion, OpenVersion
from bot.inference.language_model import LanguageModel
from bot.sentence_support import SentenceSupport
from bot.shown_examples import ShownExamples
from bot.unaided import UnaidedAnswering
from knowledge.embedder import Embedder
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground
from storage.database import Database
from storage.pairs import Pair
from storage.versions import BASE, Version
from training.evaluation.verdict import EvaluationQuestion, Said
from training.evaluation.ways import Way
from training.manifest import ManifestBroken
from training.prompt import Persona
from training.rows import FindSection

log = logging.getLogger(__name__)

Progress = Callable[[dict[str, Any]], None]

#: How many verified answers the model is shown in the way "with examples".
EXAMPLES = 3


class EvaluationRefused(Exception):
    """Nothing was measured; the message says what is missing."""


class AskingInWays:
    """Asks as one person does: one question after the other, and waits for each answer."""

    def __init__(
        self,
        *,
        database: Database,
        answering: Answering,
        open_version: OpenVersion,
        persona: Persona,
        find_section: FindSection,
        embedder: Callable[[], Embedder],
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            answering: What answers in Slack.
            open_version: Opens a version's engine, its files checked first.
            persona: Who speaks.
            find_section: Returns the passage that a pair rests on.
            embedder: Gives what says which questions are near.
        """
        self._database = database
        self._answering = answering
        self._open_version = open_version
        self._persona = persona
        self._find_section = find_section
        self._embedder = embedder

    def ask(
        self,
        version: Version,
        ways: Sequence[Way],
        *,
        asked: Sequence[EvaluationQuestion],
        alone: Sequence[EvaluationQuestion],
        approved: Sequence[Pair],
        on_asked: Callable[[str], None],
    ) -> dict[str, dict[EvaluationQuestion, Said]]:
        """Return what a version says in each of its ways, by the way's name.

        Args:
            version: The version; its engine is opened for this, beside the one that serves.
            ways: Its ways of answering.
            asked: The questions for ways with retrieval.
            alone: The questions for ways without.
            approved: Approved pairs, to take examples from.
            on_asked: Told the way's name after each question.

        Raises:
            EvaluationRefused: the version's files are damaged or gone.
            InferenceFailed: the engine fails.
        """
        sayings = self._persona.voice.sayings
        said: dict[str, dict[EvaluationQuestion, Said]] = {}
        with closing(Champion(self._database, lambda _champion: self._opened(version))) as models:
            log.info("asking version=%s", models.version)
            for way in ways:
                examples = self._examples(approved, way.examples) if way.examples else None
                answering = UnaidedAnswering(self._answering, models, examples)
                support = SentenceSupport(answering.check, GroundingCheck(), sayings)
                said[way.name] = {}
                for question in asked if way.retrieval else alone:
                    said[way.name][question] = _said(answering, way, question, support)
                    on_asked(way.name)
        return said

    def _examples(self, approved: Sequence[Pair], count: int) -> ShownExamples:
        return ShownExamples(
            approved,
            embedder=self._embedder(),
            find_section=self._find_section,
            persona=self._persona,
            count=count,
        )

    def _opened(self, version: Version) -> LanguageModel:
        try:
            return self._open_version(version)
        except (ManifestBroken, OSError) as error:
            raise EvaluationRefused(f"{version.name} cannot be measured: {error}") from error


class ProgressBar:
    """Adds steps up for a progress bar."""

    def __init__(self, on_progress: Progress) -> None:
        """Take what shows a step: `name`, `done` and `total`."""
        self._on_progress = on_progress
        self._done, self._total, self._name = 0, 0, ""

    def step(self, count: int, total: int | None, name: str | None) -> None:
        """Add `count`; a total or a name that is not None takes the place of the one before."""
        self._done += count
        self._total = self._total if total is None else total
        self._name = name or self._name
        self._on_progress({"name": self._name, "done": self._done, "total": self._total})


def all_ways(tuned: Version | None, *, has_examples: bool) -> tuple[Way, ...]:
    """Return the ways of the ablation: base and tuned, with and without; base with examples."""
    ways = [Way("base", BASE, False), Way("base + retrieval", BASE, True)]
    if has_examples:
        ways.append(Way("base + retrieval + examples", BASE, True, EXAMPLES))
    if tuned is not None:
        ways.append(Way(f"tuned ({tuned.name})", tuned.name, False))
        ways.append(Way(f"tuned ({tuned.name}) + retrieval", tuned.name, True))
    return tuple(ways)


def _said(
    answering: UnaidedAnswering,
    way: Way,
    question: EvaluationQuestion,
    support: SentenceSupport,
) -> Said:
    audiences = {"everyone", question.audience}
    if way.retrieval:
        outcome = answering.answer(question.text, audiences)
        shown = [(each.title, each.heading, each.text) for each in outcome.sources]
    else:
        outcome = answering.answer_alone(question.text)
        found = answering.passages_for(question.text, audiences)
        shown = [(each.title, each.heading, each.text) for each in found]
    grounds = [Ground(f"{title} > {heading}", text) for title, heading, text in shown]
    abstained = outcome.status == "abstained"
    text = "" if abstained else outcome.text
    count = support.count(text, grounds, question.text)
    return Said(
        text=outcome.text,
        abstained=abstained,
        cited=tuple(each.uri for each in outcome.sources if each.cited) if way.retrieval else None,
        sentences=count.sentences,
        unsupported=count.unsupported,
        doubted=count.doubted,
        seconds=outcome.timings["total"],
    )
