"""Socket Mode on a bad day: lost acknowledgements, lost sockets, duplicates, no app at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from websocket import create_connection

from bot.workspace import Person, Workspace, WorkspaceServer

Connect = Callable[[App], SocketModeHandler]


class Heard:
    """The events a Bolt app got, with the retry number of each."""

    def __init__(self, app: App) -> None:
        self.events: list[tuple[str, str]] = []
        self.fail_first = 0
        self._lock = threading.Lock()

        @app.middleware
        def keep(body: dict[str, Any], req: Any, next: Callable[[], BoltResponse]) -> BoltResponse:
            if body.get("type") != "event_callback":
                return next()
            with self._lock:
                self.events.append((body["event_id"], req.headers["x-slack-retry-num"][0]))
                if self.fail_first > 0:
                    self.fail_first -= 1
                    return BoltResponse(status=500, body="the database is away")
            return BoltResponse(status=200, body="")


@pytest.fixture
def heard(app: App) -> Heard:
    return Heard(app)


def test_an_event_that_is_not_acknowledged_comes_again_with_the_same_id(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    heard.fail_first = 2
    kari.dm("hello")
    workspace.wait_for(lambda: len(heard.events) == 3)
    ids, retries = zip(*heard.events, strict=True)
    assert len(set(ids)) == 1
    assert retries == ("0", "1", "2")
    workspace.wait_for(lambda: not workspace.state.undelivered)


def test_an_event_is_given_up_after_three_retries(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    heard.fail_first = 10
    kari.dm("hello")
    workspace.wait_for(lambda: len(workspace.sockets.attempts) == 4)
    workspace.wait_for(lambda: not workspace.state.undelivered)
    time.sleep(0.1)
    assert [retry for _, retry in heard.events] == ["0", "1", "2", "3"]


def test_a_lost_acknowledgement_brings_the_event_again(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    workspace.faults.swallow_acks(1)
    kari.dm("hello")
    workspace.wait_for(lambda: len(heard.events) == 2)
    assert heard.events[0][0] == heard.events[1][0]


def test_an_event_can_be_redelivered_although_it_was_acknowledged(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    workspace.faults.redeliver_events(3)
    kari.dm("hello")
    workspace.wait_for(lambda: len(heard.events) == 4)
    assert len({event_id for event_id, _ in heard.events}) == 1


def test_one_message_can_arrive_under_several_event_ids(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    workspace.faults.duplicate_messages(2)
    kari.mention("#ask-fjellro", "hello")
    workspace.wait_for(lambda: len(heard.events) == 6)
    assert len({event_id for event_id, _ in heard.events}) == 6


def test_what_is_said_while_the_app_is_away_arrives_as_a_retry(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    kari.dm("is anybody there?")
    connect(app)
    workspace.wait_for(lambda: heard.events)
    assert [retry for _, retry in heard.events] == ["1"]


def test_a_command_without_an_app_fails_at_once(
    server: object, workspace: Workspace, kari: Person
) -> None:
    assert kari.slash("/retrain status").error == "dispatch_failed"


def test_each_event_goes_to_one_of_several_connections(
    client: WebClient, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    apps = [App(client=client), App(client=client)]
    both = [Heard(app) for app in apps]
    for app in apps:
        connect(app)
    assert workspace.sockets.connections == 2
    for n in range(4):
        kari.dm(f"message {n}")
    workspace.wait_for(lambda: sum(len(heard.events) for heard in both) == 4)
    time.sleep(0.1)
    assert [len(heard.events) for heard in both] == [2, 2]


def test_a_dropped_socket_is_replaced_and_nothing_is_lost(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    workspace.faults.drop_sockets()
    kari.dm("hello")
    workspace.wait_for(lambda: heard.events, 8)
    assert len(workspace.ledger.calls("apps.connections.open")) == 2


def test_a_disconnect_frame_makes_the_app_open_a_new_session(
    app: App, heard: Heard, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    connect(app)
    workspace.faults.disconnect_sockets()
    workspace.wait_for(lambda: len(workspace.ledger.calls("apps.connections.open")) == 2, 8)
    workspace.wait_until_connected()
    kari.dm("hello")
    workspace.wait_for(lambda: heard.events, 8)


def test_a_socket_address_works_once(client: WebClient, server: WorkspaceServer) -> None:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    opened = client.apps_connections_open(app_token=server.app_token)["url"]
    with pytest.raises(HTTPError, match="403"):
        urlopen(opened.replace("ws://", "http://") + "x")


def test_an_app_has_ten_connections_at_most(
    client: WebClient, workspace: Workspace, server: WorkspaceServer
) -> None:
    sockets = [
        create_connection(client.apps_connections_open(app_token=server.app_token)["url"])
        for _ in range(11)
    ]
    greetings = [json.loads(socket.recv()) for socket in sockets]
    assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[10]["reason"] == "too_many_websockets"
    assert workspace.sockets.connections == 10
    for socket in sockets:
        socket.close()


def test_unanswered_pings_make_the_app_connect_anew(
    app: App, connect: Connect, workspace: Workspace
) -> None:
    handler = connect(app)
    session = handler.client.current_session
    assert session is not None
    workspace.wait_for(lambda: session.last_ping_pong_time is not None, 5, "the first pong")
    # The workspace's own pings would count as signs of life, too.
    workspace.faults.silence_pongs()
    workspace.wait_for(lambda: len(workspace.ledger.calls("apps.connections.open")) >= 2, 8)
    workspace.faults.clear()
