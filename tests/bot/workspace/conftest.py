"""A workspace on a port, a client for it, and real Bolt apps in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.workspace import Person, Timing, Workspace, WorkspaceServer

Connect = Callable[[App], SocketModeHandler]


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(timing=Timing(ack=0.6, retry_delays=(0.0, 0.2, 0.3), ping=0.05))


@pytest.fixture
def server(workspace: Workspace) -> Iterator[WorkspaceServer]:
    with WorkspaceServer(workspace) as running:
        yield running


@pytest.fixture
def client(server: WorkspaceServer) -> WebClient:
    """A client that repeats nothing by itself."""
    return WebClient(
        base_url=server.base_url, token=server.bot_token, retry_handlers=[], timeout=10
    )


@pytest.fixture
def app(client: WebClient) -> App:
    return App(client=client)


@pytest.fixture
def connect(workspace: Workspace, server: WorkspaceServer) -> Iterator[Connect]:
    """What connects an app over Socket Mode, until the end of the test."""
    handlers: list[SocketModeHandler] = []

    def start(app: App) -> SocketModeHandler:
        handler = SocketModeHandler(app, server.app_token, ping_interval=0.2)
        already = workspace.sockets.connections
        handler.connect()  # type: ignore[no-untyped-call]
        handlers.append(handler)
        workspace.wait_for(lambda: workspace.sockets.connections > already, 5, "a connection")
        return handler

    yield start
    # slack_sdk takes a second or more to close; the next test need not wait for it.
    for handler in handlers:
        closing = threading.Thread(target=_close, args=(handler,))
        closing.start()
        _closing.append(closing)


def _close(handler: SocketModeHandler) -> None:
    # slack_sdk trips when the server closes the socket at the same moment.
    with suppress(AttributeError):
        handler.close()  # type: ignore[no-untyped-call]


_closing: list[threading.Thread] = []


@pytest.fixture(scope="session", autouse=True)
def _all_apps_are_closed() -> Iterator[None]:
    yield
    for closing in _closing:
        closing.join()


@pytest.fixture
def kari(workspace: Workspace) -> Person:
    return workspace.person("Kari")


@pytest.fixture
def ask(workspace: Workspace) -> str:
    """The id of the channel for questions."""
    return workspace.channel("ask-fjellro").id
