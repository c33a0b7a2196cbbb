"""Whether a sentence rests on passages: one question, one calibrated answer, with reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Protocol

from knowledge.grounding.facts import read_tokens
from knowledge.grounding.features import Compared, compare
from knowledge.grounding.findings import reasons
from knowledge.grounding.meaning import Meaning
from knowledge.grounding.reading import EmbedsTexts, Ground, Reading
from knowledge.grounding.trees import Boosted, boosted_from
from knowledge.language import detect_language

#: The fitted model: JSON, two of them, with an embedder's cosines and without.
MODEL_FILE = "fitted.json"

_CITED = re.compile(r"\s*\[\d+\]")


class ModelUnusable(Exception):
    """The fitted model cannot be read; the message says which file and what to do."""


@dataclass(frozen=True)
class Support:
    """How far passages support a sentence.

    Attributes:
        probability: That they do, calibrated on as many true as false statements.
        is_supported: Whether that is enough.
        reasons: What speaks against it, in words, if anything does.
        passage: The place of the passage that supports it best, None without passages.
        sentence: The sentence of that passage that does, word for word; empty without passages.
        closeness: The share of the sentence's words that stand there, rare words counting more.
    """

    probability: float
    is_supported: bool
    reasons: tuple[str, ...]
    passage: int | None
    sentence: str
    closeness: float = 0.0


class Checks(Protocol):
    """A check that has read an answer's passages; two kinds exist, features and entailment."""

    def support(self, sentence: str) -> Support:
        """Say how far the passages support a sentence."""
        ...


class GroundingCheck:
    """Checks sentences by plain features and a small fitted model. Safe in several threads."""

    def __init__(self, embedder: EmbedsTexts | None = None, caught: float | None = None) -> None:
        """Take the embedder.

        Args:
            embedder: Gives the meaning; a model fitted without is used if there is none, or one
                that the model was not fitted with.
            caught: The wished share of false statements that are caught, between 0.5 and 0.99;
                the fitted default if None.

        Raises:
            ModelUnusable: the file that came with the program is broken or missing.
        """
        fitted = _fitted()
        knows = embedder is not None and embedder.name in fitted.by_embedder
        self._embedder = embedder if knows else None
        key = embedder.name if embedder is not None and knows else ""
        self._model, thresholds, default = fitted.by_embedder[key]
        wished = default if caught is None else min(max(caught, 0.5), 0.99)
        self.threshold = _threshold(thresholds, wished)

    def read(self, passages: Sequence[Ground], question: str = "") -> _Opened:
        """Read the passages of an answer once; its sentences are then checked one by one.

        Args:
            passages: What the answer was made from.
            question: What was asked. Its words may be repeated; its numbers prove nothing.
        """
        return _Opened(self._model, self.threshold, passages, question, self._embedder)

    def support(self, sentence: str, passages: Sequence[Ground], question: str = "") -> Support:
        """Say how far passages support one sentence."""
        return self.read(passages, question).support(sentence)


class _Opened:
    def __init__(
        self,
        model: Boosted,
        threshold: float,
        passages: Sequence[Ground],
        question: str,
        embedder: EmbedsTexts | None,
    ) -> None:
        self._model = model
        self._threshold = threshold
        self._passages = passages
        self._question = question
        self._meaning = Meaning(embedder) if embedder is not None else None
        self._readings: dict[str, Reading] = {}

    def support(self, sentence: str) -> Support:
        """Say how far the passages support a sentence."""
        plain = _CITED.sub("", sentence).strip()
        reading = self._reading(plain)
        compared, figures = figures_of(plain, reading, self._question, self._meaning)
        probability = self._model.probability(figures)
        is_supported = probability >= self._threshold
        best = reading.sentences[compared.best] if compared.best is not None else None
        return Support(
            probability,
            is_supported,
            () if is_supported else reasons(compared.findings),
            best.passage if best else None,
            best.text if best else "",
            figures["coverage of two sentences"],
        )

    def _reading(self, sentence: str) -> Reading:
        language = "no" if detect_language(sentence) == "no" else "en"
        if language not in self._readings:
            self._readings[language] = _read(tuple(self._passages), language)
        return self._readings[language]


def forget_readings() -> None:
    """Forget what was read, because somebody's words had to go."""
    _read.cache_clear()
    read_tokens.cache_clear()


@lru_cache(maxsize=512)
def _read(passages: tuple[Ground, ...], language: str) -> Reading:
    """Passages as they are read; the same ones are asked for again soon, by pairs of one page."""
    return Reading(passages, language)


def figures_of(
    statement: str, reading: Reading, question: str, meaning: Meaning | None
) -> tuple[Compared, dict[str, float]]:
    """Return a statement's features, those of meaning included if there is an embedder."""
    compared = compare(statement, reading, question)
    if meaning is None:
        return compared, compared.figures
    return compared, compared.figures | meaning.figures(statement, compared, reading)


@dataclass(frozen=True)
class _Fitted:
    """Models with their thresholds: pairs of the share caught and the threshold; the default."""

    by_embedder: dict[str, tuple[Boosted, tuple[tuple[float, float], ...], float]]


@cache
def _fitted() -> _Fitted:
    try:
        text = resources.files("knowledge.grounding").joinpath(MODEL_FILE).read_text("utf-8")
        plain: dict[str, Any] = json.loads(text)
        return _Fitted(
            {
                name: (
                    boosted_from(each["model"]),
                    tuple((float(c), float(t)) for c, t in each["thresholds"]),
                    float(each["caught"]),
                )
                for name, each in plain["models"].items()
            }
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnusable(
            f"The model of the grounding check, {MODEL_FILE} in knowledge/grounding, cannot be "
            f"read: {error}. Install Skredder again."
        ) from error


def _threshold(thresholds: Iterable[tuple[float, float]], caught: float) -> float:
    """Interpolate the threshold for a wished share of false statements that are caught."""
    before: tuple[float, float] | None = None
    for share, threshold in sorted(thresholds):
        if share >= caught:
            if before is None or share == before[0]:
                return threshold
            part = (caught - before[0]) / (share - before[0])
            return before[1] + part * (threshold - before[1])
        before = (share, threshold)
    assert before is not None
    return before[1]
