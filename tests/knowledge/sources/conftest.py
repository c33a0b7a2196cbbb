"""A real web server on this machine, whose pages a test writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Reply:
    """What the server says to one address."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[BaseHTTPRequestHandler], Reply | None]


@dataclass
class Site:
    """Pages by path and query, and what was asked for. A page may be a function."""

    port: int
    pages: dict[str, Reply | Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    asked_with: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str, body: str, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("content-type", "text/html; charset=utf-8")
        self.pages[path] = Reply(body.encode(), status, named)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.pages[path] = Reply(b"", status, {"location": to})


@pytest.fixture
def new_site() -> Iterator[Callable[[], Site]]:
    """Starts servers, and stops them in the end."""
    servers: list[ThreadingHTTPServer] = []

    def start() -> Site:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append(self.path)
                served.asked_with.append(
                    {name.lower(): each for name, each in self.headers.items()}
                )
                found = served.pages.get(self.path, Reply(b"gone", 404))
                try:
                    reply = found if isinstance(found, Reply) else found(self)
                    if reply is not None:
                        self.send_response(reply.status)
                        for name, value in reply.headers.items():
                            self.send_header(name, value)
                        self.send_header("content-length", str(len(reply.body)))
                        self.end_headers()
                        self.wfile.write(reply.body)
                except OSError:
                    pass  # the other side had enough

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        served = Site(server.server_port)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return served

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    return new_site()
