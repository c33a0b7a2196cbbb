from __future__ import annotations

import socket
import urllib.request

import pytest
from aiohttp import web

from bot.aiohttp_thread import AiohttpThread


def _application() -> web.Application:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    return application


def _server(port: int = 0) -> AiohttpThread:
    return AiohttpThread(_application, "127.0.0.1", port, name="test", shutdown_seconds=1.0)


def test_it_serves_until_it_is_stopped_and_can_start_again() -> None:
    server = _server()
    seen: list[int] = []
    for _ in range(2):
        server.start(lambda: seen.append(server.port))
        assert seen[-1] == server.port
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=5) as answer:
            assert answer.read() == b"hello"
        server.stop()
        assert not server.is_running
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=5)


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = _server(taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            server.start()
        assert not server.is_running
