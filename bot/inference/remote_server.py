"""An OpenAI-compatible server, through the official client: what it has, what it says, its faults.

Everything that can go wrong between us and the server is translated here, once. Sizes and times
are bounded here too: a server is another program, and may do anything.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.inference.language_model import InferenceFailed, ModelUnavailable
from training.prompt import ChatMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

log = logging.getLogger(__name__)

#: How long opening a connection may take, in seconds.
CONNECT_SECONDS = 5.0

#: More bytes than this of one response are not read: 2,048 tokens come in less than 1 MB.
LONGEST_RESPONSE = 8 * 2**20

#: Some servers send several events for a token; many more than this are a fault.
EVENTS_PER_TOKEN = 2
MORE_EVENTS = 32


@dataclass(frozen=True)
class RemoteServer:
    """Where a server is, what it calls the model, and how long it is waited for."""

    url: str
    model: str
    loads_adapters: bool = False
    silence_seconds: float = 30.0
    answer_seconds: float = 180.0
    #: Shown to nobody: it stays out of `repr` and logs.
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class ServedModel:
    """A model as the server lists it; `context_tokens` where it says so (vLLM does)."""

    name: str
    context_tokens: int | None


class ServerFault(ModelUnavailable):
    """The server could not be reached, or failed."""

    def __init__(
        self,
        message: str,
        *,
        may_pass: bool = True,
        status: int | None = None,
        wait: float = 0.0,
    ) -> None:
        """Take what happened.

        Args:
            message: What happened, where, and what to do.
            may_pass: Whether trying again may help.
            status: The HTTP status; None where it did not come so far.
            wait: For how many seconds the server asks to be left alone.
        """
        super().__init__(message)
        self.may_pass = may_pass
        self.status = status
        self.wait = wait


class ServerClient:
    """Asks one server. Belongs to one event loop."""

    def __init__(self, server: RemoteServer) -> None:
        """Take the server; nothing is asked of it yet."""
        import httpx2
        from openai import AsyncOpenAI

        self._server = server
        timeout = httpx2.Timeout(server.silence_seconds, connect=CONNECT_SECONDS)
        self._client = AsyncOpenAI(
            base_url=server.url,
            api_key=server.key or "none",
            max_retries=0,  # it is our queue that knows whether trying again makes sense
            timeout=timeout,
            # A server that sends us elsewhere would send colleagues' questions elsewhere.
            http_client=httpx2.AsyncClient(
                transport=_capped_transport(), timeout=timeout, follow_redirects=False
            ),
        )
        # The client would take these from the environment, and tell them any server.
        self._client.organization = None
        self._client.project = None

    async def models(self) -> tuple[ServedModel, ...]:
        """Return what the server has.

        Raises:
            ServerFault: it cannot be reached, refuses the key, or does not say.
        """
        with self._translating():
            listed = await self._client.get("/models", cast_to=object)
        found = listed.get("data") if isinstance(listed, dict) else None
        if not isinstance(found, list):
            raise ServerFault(
                f"{self._server.url} does not list its models.", may_pass=False, status=200
            )
        return tuple(
            ServedModel(str(entry["id"]), _positive(entry.get("max_model_len")))
            for entry in found
            if isinstance(entry, dict) and "id" in entry
        )

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Let the server load an adapter under `name`, from a folder that it sees too.

        Raises:
            InferenceFailed: it cannot, or does not list it afterwards.
        """
        body = {"lora_name": name, "lora_path": str(folder.resolve())}
        try:
            with self._translating():
                await self._client.post("/load_lora_adapter", body=body, cast_to=object)
        except ServerFault as fault:
            if fault.may_pass:
                raise
            raise InferenceFailed(
                f"The server at {self._server.url} does not load adapters: {fault} "
                "vLLM does when it runs with --enable-lora and "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True."
            ) from fault
        if name not in {model.name for model in await self.models()}:
            raise InferenceFailed(
                f"The server at {self._server.url} said that it loaded {name}, "
                "but does not list it among its models."
            )

    async def unload_adapter(self, name: str) -> None:
        """Let the server forget an adapter. Raises `ServerFault`."""
        with self._translating():
            await self._client.post(
                "/unload_lora_adapter", body={"lora_name": name}, cast_to=object
            )

    async def stream(
        self, model: str, messages: Sequence[ChatMessage], max_new_tokens: int
    ) -> AsyncIterator[str]:
        """Yield an answer piece by piece, greedy.

        Raises:
            ServerFault: the server failed, or sent something that is no answer.
            InferenceFailed: it refuses the prompt.
        """
        most_events = EVENTS_PER_TOKEN * max_new_tokens + MORE_EVENTS
        has_ended = False
        with self._translating():
            completions: Any = self._client.chat.completions
            events = await completions.create(
                model=model,
                messages=[{"role": m.role, "content": m.content} for m in messages],
                max_tokens=max_new_tokens,
                temperature=0,
                stream=True,
            )
            async with events:
                async for event in events:
                    most_events -= 1
                    if most_events < 0:
                        raise ServerFault("The server sends more than was asked for.")
                    piece, ends = _piece_of(event)
                    has_ended = has_ended or ends
                    if piece:
                        yield piece
        if not has_ended:
            raise ServerFault("The server's answer broke off in the middle.")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Turn everything that the client may raise into our own words, without the key."""
        import httpx2
        import openai

        url = self._server.url
        try:
            yield
        except openai.APIStatusError as error:
            raise self._refusal(error) from error
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            seconds = self._server.silence_seconds
            raise ServerFault(f"{url} said nothing for {seconds:.0f} seconds.") from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            raise ServerFault(
                f"{url} cannot be reached: {str(cause) or type(cause).__name__}."
            ) from error
        except (openai.APIError, ValueError) as error:
            raise ServerFault(f"{url} sent what is no answer: {type(error).__name__}.") from error

    def _refusal(self, error: Any) -> InferenceFailed:
        """Say what a status means."""
        url, status = self._server.url, int(error.status_code)
        said = _said(error)
        if status in (401, 403):
            message = f"{url} refuses the key in SKREDDER_MODEL_API_KEY ({status})."
        elif status in (404, 405):
            message = f"{url} does not know what it was asked for ({status}): {said}"
        elif 300 <= status < 400:
            message = f"{url} sends us elsewhere ({status}), where we do not go."
        elif status in (408, 429) or status >= 500:
            wait = _seconds(error.response.headers.get("retry-after"))
            return ServerFault(f"{url} answered {status}: {said}", status=status, wait=wait)
        else:
            return InferenceFailed(f"{url} refused what it was asked ({status}): {said}")
        return ServerFault(message, may_pass=False, status=status)


def _piece_of(event: Any) -> tuple[str, bool]:
    """Return the text of an event, and whether it says that the answer has ended.

    Raises:
        ValueError: it does not have the form of one; the client checks nothing.
    """
    try:
        if not event.choices:  # usage comes in an event of its own
            return "", False
        choice = event.choices[0]
        content = None if choice.delta is None else choice.delta.content
        ends = choice.finish_reason is not None
    except (AttributeError, TypeError, LookupError) as error:
        raise ValueError("an event without choices") from error
    if content is not None and not isinstance(content, str):
        raise ValueError("content that is no text")
    return content or "", ends


def _said(error: Any) -> str:
    """Return the server's own words, cut short and on one line."""
    body = error.body
    message = body.get("message") or body.get("detail") if isinstance(body, dict) else body
    return " ".join(str(message or "no reason given").split())[:200]


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _seconds(header: str | None) -> float:
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        return 0.0


def _capped_transport() -> httpx2.AsyncBaseTransport:
    """Return a transport that stops reading a response when it is too long to be one."""
    import httpx2

    class CappedStream(httpx2.AsyncByteStream):
        def __init__(self, inner: httpx2.AsyncByteStream) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            read = 0
            async for part in self._inner:
                read += len(part)
                if read > LONGEST_RESPONSE:
                    raise httpx2.ReadError(f"more than {LONGEST_RESPONSE} bytes in one response")
                yield part

        async def aclose(self) -> None:
            await self._inner.aclose()

    class CappedTransport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            response = await super().handle_async_request(request)
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = CappedStream(response.stream)
            return response

    return CappedTransport()
