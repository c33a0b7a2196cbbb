"""A version that another program serves: any OpenAI-compatible server, with or without adapters.

One thread runs an event loop; each answer is a task in it. A server that is down costs nobody
time: after a few failures questions are refused at once, until a probe goes through.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import secrets
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot.inference.admission import Admission, Request
from bot.inference.chat_tokenizer import ChatTokenizer
from bot.inference.circuit_breaker import CircuitBreaker
from bot.inference.language_model import (
    MOST_AT_ONCE,
    TOKENS_PER_MESSAGE,
    Generation,
    GenerationOptions,
    InferenceFailed,
    ModelUnavailable,
    PromptTooLong,
    answer_all,
)
from bot.inference.remote_server import RemoteServer, ServedModel, ServerClient, ServerFault
from training.prompt import ChatMessage

log = logging.getLogger(__name__)

Result = TypeVar("Result")

#: A prompt is sent so often, at most; only while nothing of the answer has come.
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0

#: So many failures in a row, and the server is left alone for so long.
FAILURES = 3
REST_SECONDS = 10.0

#: Where neither the server nor a tokenizer says how long the context is.
CONTEXT_TOKENS = 4096

#: Without a tokenizer: no text of a European language has so few bytes a token.
BYTES_PER_TOKEN = 2

Messages = tuple[ChatMessage, ...]


class RemoteEngine:
    """A version on a server. See `LanguageModel`."""

    def __init__(
        self,
        server: RemoteServer,
        version: str,
        *,
        adapter: Path | None = None,
        tokenizer_folder: Path | None = None,
        rest_seconds: float = REST_SECONDS,
        at_once: int | None = None,
    ) -> None:
        """Reach the server, and let it load the adapter if there is one.

        Args:
            server: Where it is.
            version: The version's name.
            adapter: The adapter's folder, verified, on a file system that the server sees too.
            tokenizer_folder: The base model's folder; without it tokens are estimated.
            rest_seconds: For how long a failing server is left alone.
            at_once: How many answers are asked for at once, the rest wait; None is 64, because a
                server batches by itself, and has a queue of its own.

        Raises:
            ModelUnavailable: the server cannot be reached.
            InferenceFailed: it does not have the model, or cannot load the adapter.
        """
        if adapter is not None and not server.loads_adapters:
            raise InferenceFailed(
                f"{version} cannot be served: the server at {server.url} loads no adapters. Set "
                "`server_adapters = true` under [model] if it can (vLLM), or serve the version's "
                "merged files there and name them in `served_model`."
            )
        self._server = server
        self._version = version
        self._breaker = CircuitBreaker(FAILURES, rest_seconds)
        self._tokenizer = None if tokenizer_folder is None else ChatTokenizer(tokenizer_folder)
        self._loop = asyncio.new_event_loop()
        self._tasks: dict[Request[Messages], asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._admission: Admission[Messages] = Admission(
            at_once or MOST_AT_ONCE, version, self._look_soon
        )
        self._adapter: str | None = None
        self._adapter_folder = adapter
        self._loading = asyncio.Lock()
        self._thread = threading.Thread(target=self._run, name=f"remote-{version}", daemon=True)
        self._thread.start()
        try:
            self._client = self._wait_for(self._connected())
            self._context = self._wait_for(self._prepared(adapter))
        except BaseException:
            self.close()
            raise
        log.info("version opened version=%s server=%s model=%s", version, server.url, self._model)

    @property
    def version(self) -> str:
        """The version's name."""
        return self._version

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._server.url

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        own = None if self._tokenizer is None else self._tokenizer.context_tokens
        known = [length for length in (self._context, own) if length is not None]
        return min(known, default=CONTEXT_TOKENS)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has; without a tokenizer rather too many."""
        if self._tokenizer is not None:
            return self._tokenizer.count(text)
        return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)

    def start(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        asker: str | None = None,
    ) -> Generation:
        """Begin an answer, or let it wait; see `LanguageModel.start`."""
        size = sum(self.count_tokens(m.content) + TOKENS_PER_MESSAGE for m in messages)
        room = self.context_tokens - options.max_new_tokens
        if size > room:
            raise PromptTooLong(size, room)
        if not self._breaker.would_allow():
            raise self._resting()
        return self._admission.enter(tuple(messages), size, options, asker)

    def generate_many(
        self,
        batch: Sequence[Sequence[ChatMessage]],
        options: GenerationOptions,
        on_done: Callable[[int], None] | None = None,
    ) -> list[str]:
        """Answer many prompts at once; see `LanguageModel.generate_many`."""
        return answer_all(self, batch, options, on_done)

    def check(self) -> tuple[ServedModel, ...]:
        """Ask the server what it has: whether it is well. Raises `ModelUnavailable`."""
        return self._wait_for(self._client.models())

    def close(self) -> None:
        """Finish what waits or runs, then let the server forget the adapter."""
        self._admission.close()
        if self._thread is not threading.current_thread():
            self._thread.join()

    # From here on everything runs in the thread of the loop.

    async def _connected(self) -> ServerClient:
        return ServerClient(self._server)

    async def _prepared(self, adapter: Path | None) -> int | None:
        """Find the model, load the adapter; return the context's length if the server says it."""
        try:
            listed = {model.name: model for model in await self._client.models()}
        except ServerFault as fault:
            if fault.status in (None, 401, 403):
                raise
            listed = {}  # there are servers that answer, and list nothing
        base = listed.get(self._server.model)
        if base is None:
            await self._answers_at_all(tuple(listed))
        if adapter is not None:
            # A name of its own for each engine: closing one never unloads what another uses.
            name = f"skredder-{self._version}-{_digest(adapter)}-{secrets.token_hex(3)}"
            await self._client.load_adapter(name, adapter)
            self._adapter = name
        return None if base is None else base.context_tokens

    async def _answers_at_all(self, listed: tuple[str, ...]) -> None:
        """Let a model that is not listed say one word: not every server lists what it serves."""
        hello = (ChatMessage("user", "Hello"),)
        try:
            async for _ in self._client.stream(self._server.model, hello, 1):
                pass
        except ServerFault as fault:
            if fault.may_pass:
                raise
            names = ", ".join(listed) or "nothing"
            raise InferenceFailed(
                f"The server at {self._server.url} does not serve {self._server.model!r} "
                f"(it lists {names}). Mend `served_model` under [model]. {fault}"
            ) from fault

    @property
    def _model(self) -> str:
        return self._adapter or self._server.model

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._look)
        self._loop.run_forever()
        self._loop.run_until_complete(self._leave_server())
        self._loop.close()

    async def _leave_server(self) -> None:
        client = getattr(self, "_client", None)
        if client is None:
            return
        if self._adapter is not None:
            try:
                await client.unload_adapter(self._adapter)
            except InferenceFailed as failure:
                log.warning("adapter not unloaded adapter=%s: %s", self._adapter, failure)
        await client.close()

    def _look_soon(self) -> None:
        """Look for what has changed; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to do
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        """Let in whose turn it is, stop what was cancelled, end when all is done."""
        # Only tasks that have begun are cancelled: one that has not would never reach its end.
        for request, task in self._tasks.items():
            if request.generation.is_cancelled and not task.cancelling():
                task.cancel()
        for request in self._admission.admit():
            self._tasks[request] = self._loop.create_task(self._answer(request))
        if self._timer is not None:
            self._timer.cancel()
        if (seconds := self._admission.seconds_to_next_expiry()) is not None:
            self._timer = self._loop.call_later(seconds + 0.01, self._look)
        if self._admission.is_closed and self._admission.is_empty() and not self._tasks:
            self._loop.stop()

    async def _answer(self, request: Request[Messages]) -> None:
        """Work on one answer to its end, whatever that is."""
        failure: Exception | None = None
        try:
            if not self._breaker.allow():
                failure = self._resting()
                return
            try:
                async with asyncio.timeout(self._server.answer_seconds):
                    await self._try(request)
            except TimeoutError:
                raise self._too_slow() from None
            self._breaker.succeeded()
        except asyncio.CancelledError:
            self._breaker.told_nothing()
        except ModelUnavailable as fault:
            log.warning("remote answer failed version=%s: %s", self._version, fault)
            self._breaker.failed()
            failure = fault
        except InferenceFailed as refusal:  # it answered, so it is well
            self._breaker.succeeded()
            failure = refusal
        except Exception as error:
            log.exception("remote answer failed version=%s", self._version)
            self._breaker.told_nothing()
            failure = error
        finally:
            del self._tasks[request]
            self._admission.leave(request, failure)

    async def _try(self, request: Request[Messages]) -> None:
        """Stream one answer; try again while nothing of it has come and it may help."""
        most, pause = request.options.max_new_tokens, FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            has_said_something = False
            try:
                async for piece in self._client.stream(self._model, request.prompt, most):
                    has_said_something = True
                    request.generation.add(piece)
                return
            except ServerFault as fault:
                if has_said_something or attempt == ATTEMPTS:
                    raise
                if fault.status == 404 and await self._loaded_again():
                    continue
                if not fault.may_pass:
                    raise
                log.info("remote attempt %d failed version=%s: %s", attempt, self._version, fault)
                await asyncio.sleep(min(max(pause, fault.wait), LONGEST_PAUSE_SECONDS))
                pause *= 2

    async def _loaded_again(self) -> bool:
        """Let a server that was restarted, and has forgotten the adapter, load it again.

        Returns:
            Whether it was forgotten, and is there again.
        """
        if self._adapter is None or self._adapter_folder is None:
            return False
        async with self._loading:  # many ask at once; the first one loads it
            if self._adapter in {model.name for model in await self._client.models()}:
                return True
            await self._client.load_adapter(self._adapter, self._adapter_folder)
        log.warning("adapter loaded again adapter=%s server=%s", self._adapter, self._server.url)
        return True

    def _resting(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"The server at {self._server.url} failed several times and is left alone for a while."
        )

    def _too_slow(self) -> ModelUnavailable:
        seconds = self._server.answer_seconds
        return ModelUnavailable(f"{self._server.url} was not done after {seconds:.0f} seconds.")

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        seconds = self._server.answer_seconds
        bounded = asyncio.wait_for(work, seconds)
        try:
            return asyncio.run_coroutine_threadsafe(bounded, self._loop).result()
        except TimeoutError:
            raise self._too_slow() from None


def _digest(adapter: Path) -> str:
    with (adapter / "adapter_model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
