"""An aiohttp application on a port, with an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from aiohttp import web

log = logging.getLogger(__name__)

#: How long `stop` waits for the thread, in seconds.
STOP_SECONDS = 10.0


async def _nothing() -> None:
    """Have nothing more to do."""


class AiohttpThread:
    """Serves an application until it is stopped; begun and ended from any other thread."""

    def __init__(
        self,
        application: Callable[[], web.Application],
        host: str,
        port: int,
        *,
        name: str,
        shutdown_seconds: float,
    ) -> None:
        """Take what to serve and where.

        Args:
            application: Makes the application, in the loop's own thread.
            host: The address to listen on.
            port: 0 chooses a free one.
            name: The thread's name.
            shutdown_seconds: How long what is being answered may take once it stops.
        """
        self.host = host
        self.port = port
        self._application = application
        self._name = name
        self._shutdown_seconds = shutdown_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._thread is not None

    def start(
        self,
        on_open: Callable[[], None] = lambda: None,
        on_close: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """Listen, and return when the port is open.

        Args:
            on_open: Called in the loop when `port` is known, before anybody is told.
            on_close: Awaited in the loop before connections are closed.

        Raises:
            OSError: the port cannot be had.
        """
        ready = threading.Event()

        def run() -> None:
            self._failure = None
            try:
                asyncio.run(self._serve(ready, on_open, on_close))
            except BaseException as error:
                self._failure = error
                if ready.is_set():
                    log.exception("server ended name=%s", self._name)
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name=self._name, daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            self._thread = None
            raise self._failure

    def stop(self) -> None:
        """Listen no more; what is being answered has `shutdown_seconds` left."""
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            if self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(STOP_SECONDS)
        self._thread = self._loop = None

    async def _serve(
        self,
        ready: threading.Event,
        on_open: Callable[[], None],
        on_close: Callable[[], Awaitable[None]],
    ) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=self._shutdown_seconds
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            self.port = runner.addresses[0][1]
            on_open()
            ready.set()
            await self._stopping.wait()
            await on_close()
        finally:
            await runner.cleanup()
