"""Socket Mode: envelopes to the app, its acknowledgements, and what happens without one."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import WSMsgType, web

from bot.workspace.faults import Faults
from bot.workspace.records import Json
from bot.workspace.timing import Timing

log = logging.getLogger(__name__)

#: How many Socket Mode connections one app may have.
MOST_CONNECTIONS = 10

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(frozen=True)
class Acknowledgement:
    """What came back for a delivery.

    Attributes:
        is_ok: Whether the app acknowledged in time.
        payload: What it sent along: a command's reply, a form's errors or next view.
        error: `dispatch_failed` (no connection) or `operation_timeout` (no acknowledgement).
    """

    is_ok: bool
    payload: Json = field(default_factory=dict)
    error: str = ""

    @property
    def text(self) -> str:
        """The reply's text, if there is one."""
        return str(self.payload.get("text", ""))

    def __str__(self) -> str:
        return self.text if self.is_ok else self.error


@dataclass(frozen=True)
class Attempt:
    """One try to deliver something, for assertions."""

    kind: Kind
    event_id: str
    number: int
    is_acknowledged: bool


@dataclass
class _Delivery:
    kind: Kind
    payload: Json
    takes_answer: bool
    first_attempt: int = 0
    done: Future[Acknowledgement] = field(default_factory=Future)


class Sockets:
    """The app's Socket Mode connections, and what waits for one.

    `send` may be called from any thread, also before the server runs; everything else happens in
    the server's event loop. An event that is not acknowledged is delivered again, as Slack does;
    an interaction or a command is not, the person sees that it failed.
    """

    def __init__(
        self,
        timing: Timing,
        faults: Faults,
        on_settled: Callable[[Json], None],
        on_connections: Callable[[], None],
    ) -> None:
        """Take the durations, the misbehaviour, and whom to tell.

        Args:
            timing: Durations.
            faults: Misbehaviour on demand.
            on_settled: Called with an event that is acknowledged or given up.
            on_connections: Called when there are more or fewer connections.
        """
        self.attempts: list[Attempt] = []
        self._timing = timing
        self._faults = faults
        self._on_settled = on_settled
        self._on_connections = on_connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[_Delivery] = []
        self._sockets: list[web.WebSocketResponse] = []
        self._turn = itertools.count()
        self._connected = asyncio.Event()
        self._unacknowledged: dict[str, asyncio.Future[Json | None]] = {}
        self._socket_of: dict[str, web.WebSocketResponse] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many connections the app has."""
        return len(self._sockets)

    def send(
        self, kind: Kind, payload: Json, *, takes_answer: bool = False, is_repetition: bool = False
    ) -> Future[Acknowledgement]:
        """Deliver a payload. The future gives the acknowledgement, or says that none came."""
        delivery = _Delivery(kind, payload, takes_answer, 1 if is_repetition else 0)
        loop = self._loop
        if loop is None:
            self._early.append(delivery)
        else:
            loop.call_soon_threadsafe(self._begin, delivery)
        return delivery.done

    def open(self) -> None:
        """Begin to deliver, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        early, self._early = self._early, []
        for delivery in early:
            self._begin(delivery)

    async def close(self) -> None:
        """Give up what is under way and cut every connection."""
        self._loop = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in self._sockets))

    def disturb(self, what: str) -> None:
        """Drop the connections, or ask the app to make new ones. From any thread."""
        loop = self._loop
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._disturb(what), loop).result(5)

    async def serve(self, request: web.Request, app_id: str) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse(timeout=0.5, autoping=False)
        await socket.prepare(request)
        hello: Json = {
            "type": "hello",
            "num_connections": len(self._sockets) + 1,
            "debug_info": {"host": "workspace", "approximate_connection_time": 18_060},
            "connection_info": {"app_id": app_id},
        }
        if len(self._sockets) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        await socket.send_json(hello)
        self._sockets.append(socket)
        self._connected.set()
        self._on_connections()
        pings = asyncio.create_task(self._ping(socket))
        try:
            async for message in socket:
                if message.type == WSMsgType.PING:
                    if not self._faults.is_silent:
                        await socket.pong(message.data)
                elif message.type == WSMsgType.TEXT:
                    self._acknowledge(json.loads(message.data))
        except ConnectionError as error:
            log.debug("socket lost: %s", error)
        finally:
            pings.cancel()
            self._forget(socket)
        return socket

    def _begin(self, delivery: _Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: _Delivery) -> None:
        if delivery.kind != "events_api":
            answer = await self._attempt(delivery, 0)
            delivery.done.set_result(answer)
            return
        again = self._faults.take_redeliveries()
        answer = Acknowledgement(False, error="operation_timeout")
        for number in range(delivery.first_attempt, 1 + len(self._timing.retry_delays)):
            if number > 0:
                await asyncio.sleep(self._timing.retry_delays[number - 1])
            if not self._sockets:
                await self._connected.wait()
                number = max(number, 1)  # noqa: PLW2901 - the try without a connection counts
            answer = await self._attempt(delivery, number)
            if answer.is_ok:
                break
        else:
            log.warning("event given up event_id=%s", delivery.payload.get("event_id"))
        for number in range(1, again + 1):
            await self._attempt(delivery, number)
        self._on_settled(delivery.payload)
        delivery.done.set_result(answer)

    async def _attempt(self, delivery: _Delivery, number: int) -> Acknowledgement:
        answer = await self._try(delivery, number)
        event_id = str(delivery.payload.get("event_id", ""))
        self.attempts.append(Attempt(delivery.kind, event_id, number, answer.is_ok))
        return answer

    async def _try(self, delivery: _Delivery, number: int) -> Acknowledgement:
        if not self._sockets:
            return Acknowledgement(False, error="dispatch_failed")
        socket = self._sockets[next(self._turn) % len(self._sockets)]
        envelope_id = str(uuid.uuid4())
        envelope: Json = {
            "type": delivery.kind,
            "envelope_id": envelope_id,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.takes_answer,
        }
        if delivery.kind == "events_api":
            envelope["retry_attempt"] = number
            envelope["retry_reason"] = "timeout" if number else ""
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._unacknowledged[envelope_id] = waiting
        self._socket_of[envelope_id] = socket
        try:
            await socket.send_json(envelope)
            payload = await asyncio.wait_for(waiting, self._timing.ack)
        except (TimeoutError, ConnectionError):
            payload = None
        finally:
            del self._unacknowledged[envelope_id], self._socket_of[envelope_id]
        if payload is None:
            return Acknowledgement(False, error="operation_timeout")
        return Acknowledgement(True, payload)

    def _acknowledge(self, message: Json) -> None:
        """Take an acknowledgement, on whichever connection it comes."""
        waiting = self._unacknowledged.get(str(message.get("envelope_id")))
        if waiting is None or waiting.done():
            return
        if self._faults.take_ack():
            return
        waiting.set_result(message.get("payload") or {})

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        while not socket.closed:
            await asyncio.sleep(self._timing.ping)
            if not self._faults.is_silent:
                await socket.ping(b"Ping from the workspace")

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)
            self._on_connections()
        if not self._sockets:
            self._connected.clear()
        for envelope_id, on in list(self._socket_of.items()):
            waiting = self._unacknowledged[envelope_id]
            if on is socket and not waiting.done():
                waiting.set_result(None)

    async def _disturb(self, what: str) -> None:
        for socket in list(self._sockets):
            if what == "disconnect":
                await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
            else:
                self._forget(socket)
                transport = socket._req.transport if socket._req is not None else None
                if transport is not None:
                    transport.abort()
