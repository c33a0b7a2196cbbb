"""transformers' continuous batching: where there is a GPU, or a model that OpenVINO cannot load."""

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
from bot.inference.four_bits import in_four_bits
from bot.inference.language_model import (
    MOST_AT_ONCE,
    Generation,
    GenerationOptions,
    InferenceFailed,
    TextFromTokens,
    answer_all,
)
from training.base_model import BaseModel
from training.merge import MergeFailed, load_merged
from training.prompt import ChatMessage

log = logging.getLogger(__name__)

#: Keys and values are kept in blocks of pages; it cannot find out how many fit without a GPU.
PAGE_SIZE = 32
CPU_BLOCKS = 512
BATCHED_TOKENS = 512

#: How often it is looked for new questions while no answer gives a token, in seconds.
_LOOK_SECONDS = 0.02

#: Answers worked on at once on a processor; the rest wait.
AT_ONCE_CPU = 16


@dataclass
class _Running:
    request: Request[list[int]]
    text: TextFromTokens
    read: int = 0


class TransformersEngine:
    """A version served from the base's folder and an adapter. See `LanguageModel`."""

    def __init__(
        self,
        base: BaseModel,
        adapter: Path | None,
        version: str,
        *,
        at_once: int | None = None,
        four_bits: bool = False,
    ) -> None:
        """Load the model, with the adapter merged into its weights.

        Args:
            base: The base model.
            adapter: The adapter's folder, verified; None serves the base.
            version: The version's name.
            at_once: How many answers are worked on at once; None is 16, on a GPU 64.
            four_bits: Whether the weights take four bits each (NF4) instead of 16, or 32.

        Raises:
            InferenceFailed: the files cannot be loaded.
        """
        import torch
        from transformers import (
            AutoModelForCausalLM,
            ContinuousBatchingConfig,
            GenerationConfig,
        )

        self._version = version
        has_gpu = bool(torch.cuda.is_available())
        automatic: Any = AutoModelForCausalLM
        try:
            self._tokenizer = ChatTokenizer(base.folder)
            dtype = torch.bfloat16 if has_gpu else torch.float32
            model: Any = (
                automatic.from_pretrained(base.folder, dtype=dtype)
                if adapter is None
                else load_merged(base, adapter).to(dtype)
            )
        except (OSError, ValueError, MergeFailed) as error:
            raise InferenceFailed(f"{base.folder} cannot be loaded: {error}") from error
        if four_bits:
            model = in_four_bits(model, dtype)
        self._model = model.to("cuda" if has_gpu else "cpu").eval()
        on_cpu = {"num_blocks": CPU_BLOCKS, "use_cuda_graph": False}
        blocks: dict[str, Any] = {} if has_gpu else on_cpu
        batching = ContinuousBatchingConfig(
            page_size=PAGE_SIZE, max_batch_tokens=BATCHED_TOKENS, **blocks
        )
        configured: Any = GenerationConfig
        generation = configured(do_sample=False, eos_token_id=sorted(self._tokenizer.end_tokens))
        self._manager: Any = self._model.init_continuous_batching(
            generation_config=generation, continuous_batching_config=batching
        )
        self._manager.start()
        self._running: dict[str, _Running] = {}
        self._numbers = itertools.count(1)
        most = at_once or (MOST_AT_ONCE if has_gpu else AT_ONCE_CPU)
        self._admission: Admission[list[int]] = Admission(most, version)
        self._reader = threading.Thread(
            target=self._read_until_closed, name=f"transformers-{version}", daemon=True
        )
        self._reader.start()

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
        if self._reader is not threading.current_thread():
            self._reader.join()
        if self._manager is not None:
            self._manager.stop(block=True)
        self._manager = self._model = None

    def _read_until_closed(self) -> None:
        while not (self._admission.is_closed and self._admission.is_empty()):
            self._admission.begin_each(self._begin)
            try:
                self._read()
            except Exception as error:
                log.exception("answers could not be read version=%s", self._version)
                self._fail_all(error)

    def _read(self) -> None:
        """Hand out what the batching thread has made since the last time."""
        self._drop_cancelled()
        output = self._manager.get_result(timeout=_LOOK_SECONDS)
        if output is not None:
            self._take(output)
        elif not self._manager.is_running():
            self._fail_all(InferenceFailed("The batching thread has ended."))

    def _begin(self, request: Request[list[int]]) -> None:
        name = f"answer-{next(self._numbers)}"
        self._manager.add_request(
            request.prompt,
            request_id=name,
            max_new_tokens=request.options.max_new_tokens,
            streaming=True,
        )
        self._running[name] = _Running(request, TextFromTokens(self._tokenizer.decode))

    def _take(self, output: Any) -> None:
        """Hand out the new tokens of one answer, and end it if it has ended."""
        running = self._running.get(output.request_id)
        if running is None:
            return
        generation = running.request.generation
        tokens = list(output.generated_tokens)
        ends = self._tokenizer.end_tokens
        new = [token for token in tokens[running.read :] if token not in ends]
        running.read = len(tokens)
        generation.add(running.text.feed(new))
        if output.error is not None or output.is_finished():
            generation.add(running.text.flush())
            failure = None if output.error is None else InferenceFailed(str(output.error))
            self._end(output.request_id, failure)

    def _drop_cancelled(self) -> None:
        for name, running in list(self._running.items()):
            if running.request.generation.is_cancelled:
                self._manager.cancel_request(name)
                self._end(name, None)

    def _fail_all(self, error: Exception) -> None:
        for name in list(self._running):
            self._manager.cancel_request(name)
            self._end(name, error)

    def _end(self, name: str, failure: Exception | None) -> None:
        self._admission.leave(self._running.pop(name).request, failure)
