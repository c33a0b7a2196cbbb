"""The bot's way of answering, as it is measured: any version, no verified answers to lean on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from bot.answering import Answering, Outcome, ReadsPassages
from bot.champion import Champion
from storage.versions import is_untuned
from training.evaluation.metrics import is_abstention, is_empty
from training.prompt import ChatMessage

#: Gives earlier turns for a question: questions with verified answers, in the order to be shown.
ExamplesFor = Callable[[str], Sequence[ChatMessage]]


class UnaidedAnswering(Answering):
    """Everything that happens to a question in Slack, but for verified answers.

    Held-out questions are those of approved pairs: looked up, each would get its own pair back,
    and the model would not be measured at all.
    """

    def __init__(
        self, original: Answering, models: Champion, examples: ExamplesFor | None = None
    ) -> None:
        """Take what answers in Slack, to do the same with the same parts.

        Args:
            original: Whose parts are used.
            models: Gives the version that is measured.
            examples: Shown to the model before each question; none if it is None.
        """
        self.__dict__.update(vars(original))
        self._models = models
        self._examples = examples

    @property
    def check(self) -> ReadsPassages:
        """The check that every sentence goes through before it is shown."""
        return self._grounding

    def _verified_pair(self, *_asked: Any, **_options: Any) -> None:
        return None

    def prompt(self, *arguments: Any, **options: Any) -> tuple[ChatMessage, ...]:
        """Render the prompt, with examples between its beginning and the question."""
        system, *turns = super().prompt(*arguments, **options)
        question = str(arguments[0])
        examples = () if self._examples is None else self._examples(question)
        return (system, *examples, *turns)

    def answer_alone(self, question: str) -> Outcome:
        """Ask the model without passages; whatever it says is the answer, unchecked."""
        started = time.monotonic()
        with self._models.lease() as model:
            messages = self.prompt(question, (), teaches_voice=is_untuned(model.version))
            text = model.start(messages, self._options, asker="measurement").text().strip()
            version = model.version
        status = "abstained" if is_abstention(text) or is_empty(text) else "unchecked"
        seconds = round(time.monotonic() - started, 3)
        return Outcome(status, text, model_version=version, timings={"total": seconds})
