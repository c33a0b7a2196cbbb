"""Having a version answer everything that it is measured by, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from training.prompt import ChatMessage

#: Answers a batch of chats, each with at most so many tokens, in the same order.
Generate = Callable[[Sequence[tuple[ChatMessage, ...]], int], list[str]]

#: Chats given to a model at once: enough to keep its batches full, few enough to stop between.
BATCH = 24


class EvaluationStopped(Exception):
    """The evaluation was asked to stop; what was answered is kept."""


class AnswerBook:
    """The answers of one version, kept in a file, so that a restart asks only what is missing."""

    def __init__(self, path: Path) -> None:
        """Open the book at `path`; it belongs to one version, whose name it should bear."""
        self._path = path
        self._known: dict[str, str] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry["answer"]
                except (ValueError, KeyError, TypeError):
                    continue  # a line that a crash cut off is asked again

    def missing(self, chats: Sequence[tuple[ChatMessage, ...]], max_tokens: int) -> int:
        """Return how many of `chats` are not answered yet."""
        return sum(1 for chat in set(chats) if _key(chat, max_tokens) not in self._known)

    def answer(
        self,
        chats: Sequence[tuple[ChatMessage, ...]],
        max_tokens: int,
        generate: Generate,
        on_answered: Callable[[int], None] = lambda _count: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[str]:
        """Return an answer for each chat, asking the model for those that are not in the book.

        Args:
            chats: What to answer.
            max_tokens: How long an answer may be.
            generate: The version's model.
            on_answered: Told after each batch how many were answered just now.
            should_stop: Asked before each batch.

        Raises:
            EvaluationStopped: `should_stop` said so.
        """
        keys = [_key(chat, max_tokens) for chat in chats]
        open_chats = {
            key: chat for key, chat in zip(keys, chats, strict=True) if key not in self._known
        }
        waiting = list(open_chats.items())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(waiting), BATCH):
            if should_stop():
                raise EvaluationStopped("The evaluation was stopped, as asked.")
            batch = waiting[start : start + BATCH]
            answers = generate([chat for _, chat in batch], max_tokens)
            with self._path.open("a", encoding="utf-8") as file:
                # A crash may have cut the last line off; a new line ends it.
                file.write("\n")
                for (key, _), answer in zip(batch, answers, strict=True):
                    self._known[key] = answer
                    entry = {"key": key, "answer": answer}
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            on_answered(len(batch))
        return [self._known[key] for key in keys]


def _key(chat: Sequence[ChatMessage], max_tokens: int) -> str:
    content = json.dumps([max_tokens, *([turn.role, turn.content] for turn in chat)])
    return hashlib.sha256(content.encode()).hexdigest()
