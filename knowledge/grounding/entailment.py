"""The check by a cross-encoder for natural language inference, where the settings name one."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from knowledge.grounding.checker import Support
from knowledge.grounding.features import compare
from knowledge.grounding.reading import Ground, Reading
from knowledge.language import detect_language
from knowledge.model_folder import ModelFolderUnusable, find_model, load_cross_encoder

#: What the settings call the model, for messages.
SETTING = "answers.entailment_model"

#: From this probability of entailment on a sentence counts as supported.
ENTAILED = 0.5

#: How many of the likeliest sentences are also tried one by one beside whole passages.
_TRIED_ALONE = 2

_CITED = re.compile(r"\s*\[\d+\]")


class EntailmentUnusable(Exception):
    """The model cannot be loaded, or does not tell entailment; the message says what to do."""


class EntailmentCheck:
    """Checks sentences by the probability that a passage entails them. Safe in several threads.

    It has the same methods as `GroundingCheck`. The model is loaded at its first use.
    """

    def __init__(self, model: str, threshold: float = ENTAILED) -> None:
        """Take the model.

        Args:
            model: A folder, or the id of a hub model.
            threshold: The least probability of entailment.
        """
        self._name = model
        self.threshold = threshold
        self._loading = threading.Lock()
        self._encoder: Any = None
        self._entailment = 0

    def load(self) -> None:
        """Load the model now.

        Raises:
            EntailmentUnusable: it is not there, is no classifier, or has no label for entailment.
        """
        with self._loading:
            if self._encoder is not None:
                return
            encoder = self._load()
            labels = {int(n): str(name) for n, name in encoder.config.id2label.items()}
            self._entailment = entailment_label(labels, self._name)
            self._encoder = encoder

    def _load(self) -> Any:
        try:
            return load_cross_encoder(find_model(self._name, SETTING))
        except ModelFolderUnusable as error:
            raise EntailmentUnusable(str(error)) from error
        except Exception as error:  # whatever the many model classes raise
            raise EntailmentUnusable(
                f"{self._name} cannot be loaded as a cross-encoder: {error}. Name another one "
                f"under `{SETTING}` in the settings, or none."
            ) from error

    def read(self, passages: Sequence[Ground], question: str = "") -> _Opened:
        """Read the passages of an answer once; its sentences are then checked one by one."""
        self.load()
        return _Opened(self, passages, question)

    def support(self, sentence: str, passages: Sequence[Ground], question: str = "") -> Support:
        """Say how far passages support one sentence."""
        return self.read(passages, question).support(sentence)

    def probabilities(self, premises: Sequence[str], statement: str) -> list[float]:
        """Return for each premise the probability that it entails the statement."""
        import torch

        with self._loading:  # a tokenizer is not safe in several threads
            scores = self._encoder.predict(
                [(premise, statement) for premise in premises],
                activation_fn=torch.nn.Softmax(dim=-1),
                show_progress_bar=False,
            )
        return [float(row[self._entailment]) for row in scores]


class _Opened:
    def __init__(self, check: EntailmentCheck, passages: Sequence[Ground], question: str) -> None:
        self._check = check
        self._passages = passages
        self._question = question
        self._readings: dict[str, Reading] = {}

    def support(self, sentence: str) -> Support:
        """Say how far the passages support a sentence."""
        plain = _CITED.sub("", sentence).strip()
        language = "no" if detect_language(plain) == "no" else "en"
        reading = self._readings.setdefault(language, Reading(self._passages, language))
        compared = compare(plain, reading, self._question)
        if compared.best is None:
            return Support(0.0, False, ("there is no passage",), None, "")
        likeliest = reading.sentences[compared.best]
        alone = [reading.sentences[place] for place in compared.likely[:_TRIED_ALONE]]
        premises = [f"{ground.heading}. {ground.text}" for ground in self._passages]
        premises += [sentence.text for sentence in alone]
        probabilities = self._check.probabilities(premises, plain)
        best = max(range(len(premises)), key=probabilities.__getitem__)
        probability = probabilities[best]
        is_supported = probability >= self._check.threshold
        if best >= len(self._passages):
            passage, said = alone[best - len(self._passages)].passage, premises[best]
        else:
            passage = best
            said = max(
                (s for s in reading.sentences if s.passage == best),
                key=lambda s: s is likeliest,
            ).text
        reasons = () if is_supported else ("no passage entails this",)
        closeness = compared.figures["coverage of two sentences"]
        return Support(probability, is_supported, reasons, passage, said, closeness)


def entailment_label(labels: dict[int, str], model: str) -> int:
    """Return the number of the label that means entailment.

    Raises:
        EntailmentUnusable: no label, or more than one, is called so.
    """
    found = [
        number
        for number, name in labels.items()
        if re.search(r"(?i)entail", name) and not re.search(r"(?i)\bnot\b|not_|non", name)
    ]
    if len(found) != 1:
        raise EntailmentUnusable(
            f"The model {model} has the labels {sorted(labels.values())}; one of them must be "
            f"called entailment. Name another model under `{SETTING}` in the settings, or none."
        )
    return found[0]
