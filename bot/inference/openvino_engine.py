"""OpenVINO GenAI on a processor: one GGUF file, many answers at once, one thread that steps."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.inference.chat_tokenizer import ChatTokenizer
from bot.inference.language_model import (
    LONGEST_QUEUE,
    Generation,
    GenerationOptions,
    InferenceBusy,
    InferenceFailed,
    TextFromTokens,
    answer_all,
)
from training.base_model import stay_offline
from training.prompt import ChatMessage

log = logging.getLogger(__name__)

#: Room for keys and values of all running and cached prompts, in GiB.
CACHE_GB = 1

#: Tokens computed in one step: long prompts are cut, so that running answers keep moving.
BATCHED_TOKENS = 1024


@dataclass
class _Running:
    handle: Any
    generation: Generation
    text: TextFromTokens
    is_cancelled: bool = False


class OpenVinoEngine:
    """A version served from one GGUF file. See `LanguageModel`."""

    def __init__(self, gguf: Path, tokenizer_folder: Path, version: str) -> None:
        """Load the model.

        Args:
            gguf: The weights.
            tokenizer_folder: The base model's folder, with its tokenizer and chat template.
            version: The version's name.

        Raises:
            InferenceFailed: the file cannot be loaded.
        """
        stay_offline()
        import openvino_genai

        self._version = version
        try:
            self._tokenizer = ChatTokenizer(tokenizer_folder)
            scheduler = openvino_genai.SchedulerConfig()
            scheduler.cache_size = CACHE_GB
            scheduler.enable_prefix_caching = True
            scheduler.max_num_batched_tokens = BATCHED_TOKENS
            self._pipeline: Any = openvino_genai.ContinuousBatchingPipeline(
                str(gguf), scheduler, "CPU"
            )
        except (OSError, RuntimeError, ValueError, LookupError) as error:
            raise InferenceFailed(f"{gguf} cannot be loaded: {error}") from error
        self._new_config: Callable[[], Any] = openvino_genai.GenerationConfig
        self._numbers = itertools.count()
        self._running: dict[int, _Running] = {}
        self._arrived: list[tuple[int, list[int], GenerationOptions, Generation]] = []
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(
            target=self._step_until_closed, name=f"openvino-{version}", daemon=True
        )
        self._thread.start()

    @property
    def version(self) -> str:
        """The version's name."""
        return self._version

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        return self._tokenizer.context_tokens

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has."""
        return self._tokenizer.count(text)

    def start(self, messages: Sequence[ChatMessage], options: GenerationOptions) -> Generation:
        """Begin an answer; see `LanguageModel.start`."""
        tokens = self._tokenizer.render(messages, options)
        generation = Generation()
        with self._wake:
            if self._is_closing:
                raise InferenceFailed(f"The engine of {self._version} is closed.")
            waiting = len(self._running) + len(self._arrived)
            if waiting >= LONGEST_QUEUE:
                raise InferenceBusy(waiting)
            self._arrived.append((next(self._numbers), tokens, options, generation))
            self._wake.notify()
        return generation

    def generate_many(
        self,
        batch: Sequence[Sequence[ChatMessage]],
        options: GenerationOptions,
        on_done: Callable[[int], None] | None = None,
    ) -> list[str]:
        """Answer many prompts at once; see `LanguageModel.generate_many`."""
        return answer_all(self, batch, options, on_done)

    def close(self) -> None:
        """Finish what runs, then free the memory."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._pipeline = None

    def _step_until_closed(self) -> None:
        while True:
            with self._wake:
                while not (self._arrived or self._running or self._is_closing):
                    self._wake.wait()
                if self._is_closing and not (self._arrived or self._running):
                    return
                arrived, self._arrived = self._arrived, []
            for item in arrived:
                self._admit(*item)
            try:
                if self._running:
                    self._pipeline.step()
            except RuntimeError as error:
                log.exception("inference step failed version=%s", self._version)
                self._fail_all(error)
                continue
            for number in list(self._running):
                self._collect(number)

    def _admit(
        self, number: int, tokens: list[int], options: GenerationOptions, generation: Generation
    ) -> None:
        import numpy
        import openvino

        config = self._new_config()
        config.max_new_tokens = options.max_new_tokens
        config.do_sample = False
        config.apply_chat_template = False
        config.stop_token_ids = set(self._tokenizer.end_tokens)
        try:
            prompt = openvino.Tensor(numpy.array([tokens], dtype=numpy.int64))
            handle = self._pipeline.add_request(number, prompt, config)
        except RuntimeError as error:
            generation.end(error)
            return
        self._running[number] = _Running(handle, generation, TextFromTokens(self._tokenizer.decode))

    def _collect(self, number: int) -> None:
        """Hand out the new tokens of one answer, and end it if it has ended."""
        running = self._running[number]
        handle, generation = running.handle, running.generation
        if running.is_cancelled:
            del self._running[number]
            return
        if generation.is_cancelled:
            # The pipeline frees the memory of a cancelled request in its next step.
            handle.cancel()
            generation.end()
            running.is_cancelled = True
            return
        if handle.can_read():
            for output in handle.read().values():
                ends = self._tokenizer.end_tokens
                new = [token for token in output.generated_ids if token not in ends]
                generation.add(running.text.feed(new))
        if self._has_ended(handle):
            generation.add(running.text.flush())
            generation.end()
            del self._running[number]

    @staticmethod
    def _has_ended(handle: Any) -> bool:
        from openvino_genai import GenerationStatus

        return bool(handle.get_status() != GenerationStatus.RUNNING and not handle.can_read())

    def _fail_all(self, error: Exception) -> None:
        for number in list(self._running):
            running = self._running.pop(number)
            running.handle.cancel()
            running.generation.end(error)
