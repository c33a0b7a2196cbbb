"""OpenVINO GenAI on a processor: one GGUF file, many answers at once, one thread that steps."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.inference.admission import Admission, Request
from bot.inference.chat_tokenizer import ChatTokenizer
from bot.inference.language_model import (
    Generation,
    GenerationOptions,
    InferenceFailed,
    TextFromTokens,
    answer_all,
)
from bot.inference.memory import available_gib, check_it_fits, memory_need
from training.base_model import stay_offline
from training.prompt import ChatMessage

log = logging.getLogger(__name__)

#: Room for keys and values of all running and remembered prompts, in GiB.
CACHE_GIB = 1.0

#: Answers worked on at once; more do not make the whole faster, and each of them slower.
AT_ONCE = 16

#: Tokens computed in one step: long prompts are cut, so that running answers keep moving.
BATCHED_TOKENS = 1024


@dataclass
class _Running:
    request: Request[list[int]]
    handle: Any
    text: TextFromTokens
    is_cancelled: bool = False


class OpenVinoEngine:
    """A version served from one GGUF file. See `LanguageModel`."""

    def __init__(
        self,
        gguf: Path,
        tokenizer_folder: Path,
        version: str,
        *,
        cache_gib: float = CACHE_GIB,
        at_once: int | None = None,
    ) -> None:
        """Load the model, if there is memory for it.

        Args:
            gguf: The weights.
            tokenizer_folder: The base model's folder, with its tokenizer and chat template.
            version: The version's name.
            cache_gib: How much memory keys and values may take, in GiB.
            at_once: How many answers are worked on at once, the rest wait; None is 16.

        Raises:
            InferenceFailed: the file cannot be loaded, or (`MemoryTooSmall`) memory is too small.
        """
        stay_offline()
        import openvino_genai

        self._version = version
        try:
            need = memory_need(gguf, tokenizer_folder, cache_gib)
            check_it_fits(need, available_gib())
            self._tokenizer = ChatTokenizer(tokenizer_folder, need.cache_tokens)
            scheduler = openvino_genai.SchedulerConfig()
            scheduler.num_kv_blocks = need.cache_blocks
            scheduler.enable_prefix_caching = True
            scheduler.max_num_batched_tokens = BATCHED_TOKENS
            self._pipeline: Any = openvino_genai.ContinuousBatchingPipeline(
                str(gguf), scheduler, "CPU"
            )
        except (OSError, RuntimeError, ValueError, LookupError) as error:
            raise InferenceFailed(f"{gguf} cannot be loaded: {error}") from error
        log.info("version opened version=%s memory=%s", version, need)
        #: What serving this version takes at most.
        self.memory = need
        self._new_config: Callable[[], Any] = openvino_genai.GenerationConfig
        self._numbers = itertools.count()
        self._running: dict[int, _Running] = {}
        self._wake = threading.Event()
        self._admission: Admission[list[int]] = Admission(
            at_once or AT_ONCE, version, self._wake.set
        )
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

    def start(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        asker: str | None = None,
    ) -> Generation:
        """Begin an answer, or let it wait; see `LanguageModel.start`."""
        tokens = self._tokenizer.render(messages, options)
        return self._admission.enter(tokens, len(tokens), options, asker)

    def generate_many(
        self,
        batch: Sequence[Sequence[ChatMessage]],
        options: GenerationOptions,
        on_done: Callable[[int], None] | None = None,
    ) -> list[str]:
        """Answer many prompts at once; see `LanguageModel.generate_many`."""
        return answer_all(self, batch, options, on_done)

    def close(self) -> None:
        """Finish what waits or runs, then free the memory."""
        self._admission.close()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._pipeline = None

    def _step_until_closed(self) -> None:
        while True:
            self._wake.clear()
            self._admission.begin_each(self._begin)
            if not self._running:
                if self._admission.is_closed and self._admission.is_empty():
                    return
                self._wake.wait()
                continue
            try:
                self._pipeline.step()
            except Exception as error:
                log.exception("inference step failed version=%s", self._version)
                self._fail_all(error)
                continue
            for number in list(self._running):
                try:
                    self._collect(number)
                except Exception as error:
                    log.exception("an answer could not be read version=%s", self._version)
                    self._fail(number, error)

    def _begin(self, request: Request[list[int]]) -> None:
        import numpy
        import openvino

        config = self._new_config()
        config.max_new_tokens = request.options.max_new_tokens
        config.do_sample = False
        config.apply_chat_template = False
        config.stop_token_ids = set(self._tokenizer.end_tokens)
        number = next(self._numbers)
        prompt = openvino.Tensor(numpy.array([request.prompt], dtype=numpy.int64))
        handle = self._pipeline.add_request(number, prompt, config)
        text = TextFromTokens(self._tokenizer.decode)
        self._running[number] = _Running(request, handle, text)

    def _collect(self, number: int) -> None:
        """Hand out the new tokens of one answer, and end it if it has ended."""
        running = self._running[number]
        handle, generation = running.handle, running.request.generation
        if running.is_cancelled:
            del self._running[number]
            return
        if generation.is_cancelled:
            # The pipeline frees the memory of a cancelled request in its next step.
            handle.cancel()
            self._admission.leave(running.request)
            running.is_cancelled = True
            return
        if handle.can_read():
            for output in handle.read().values():
                ends = self._tokenizer.end_tokens
                new = [token for token in output.generated_ids if token not in ends]
                generation.add(running.text.feed(new))
        if self._has_ended(handle):
            generation.add(running.text.flush())
            del self._running[number]
            self._admission.leave(running.request, self._failure(handle))

    @staticmethod
    def _has_ended(handle: Any) -> bool:
        from openvino_genai import GenerationStatus

        return bool(handle.get_status() != GenerationStatus.RUNNING and not handle.can_read())

    @staticmethod
    def _failure(handle: Any) -> InferenceFailed | None:
        from openvino_genai import GenerationStatus

        if handle.get_status() == GenerationStatus.IGNORED:
            return InferenceFailed("Keys and values do not fit into the memory they may take.")
        return None

    def _fail_all(self, error: Exception) -> None:
        for number in list(self._running):
            self._fail(number, error)

    def _fail(self, number: int, error: Exception) -> None:
        running = self._running.pop(number, None)
        if running is not None and not running.is_cancelled:
            running.handle.cancel()
            self._admission.leave(running.request, error)
