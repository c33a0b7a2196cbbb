"""The page's own interface: who may use it, what each person sees, and what gestures do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from websocket import WebSocket, WebSocketTimeoutException, create_connection

from bot.workspace import Person, Workspace, WorkspaceServer, page_api
from tests.bot.workspace.samples import actions, button, modal, section

Connect = Callable[[App], Any]


class Browser:
    """What the page does, without a browser."""

    def __init__(self, server: WorkspaceServer) -> None:
        self.server = server
        with urlopen(server.page_url) as page:
            self.headers = page.headers
            self.html = page.read().decode()
        self.token = re.search(r'name="page-token" content="([^"]+)"', self.html)[1]  # type: ignore[index]
        self._sockets: list[WebSocket] = []

    def act(self, who: str, gesture: str, /, *, token: str | None = None, **details: Any) -> Any:
        body = json.dumps({"as": who, "gesture": gesture, **details}).encode()
        headers = {"X-Page-Token": self.token if token is None else token}
        request = Request(f"{self.server.origin}/ui/act", data=body, headers=headers)
        try:
            with urlopen(request) as answer:
                return json.load(answer)
        except HTTPError as error:
            if error.code == 400:
                return json.load(error)
            raise

    def live(self, name: str) -> WebSocket:
        address = self.server.origin.replace("http://", "ws://")
        socket = create_connection(f"{address}/ui/live?token={self.token}&as={name}", timeout=5)
        self._sockets.append(socket)
        return socket

    def close(self) -> None:
        for socket in self._sockets:
            socket.close()


@pytest.fixture
def browser(server: WorkspaceServer) -> Iterator[Browser]:
    opened = Browser(server)
    yield opened
    opened.close()


def update(socket: WebSocket) -> Any:
    return json.loads(socket.recv())


def texts(change: Any) -> list[str]:
    return [message["text"] for message in change.get("messages", [])]


def test_the_page_loads_nothing_from_elsewhere_and_stands_in_no_frame(browser: Browser) -> None:
    policy = browser.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r'(src|href)="https?:', browser.html)
    own = re.findall(r'"/page/([^"]+)"', browser.html)
    assert own == ["skredder.svg", "style.css", "main.js"]
    for name in own:
        with urlopen(f"{browser.server.origin}/page/{name}") as asset:
            assert asset.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["../server.py", "..%2Fserver.py", "nothing.js", "index.html"])
def test_only_the_pages_own_files_are_served(browser: Browser, name: str) -> None:
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{browser.server.origin}/page/{name}")


def test_nobody_acts_without_the_pages_token(browser: Browser, workspace: Workspace) -> None:
    with pytest.raises(HTTPError, match="403"):
        browser.act("Kari", "say", channel="general", text="hello", token="guessed")
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{browser.server.origin}/ui/live?as=Kari")
    assert workspace.messages("general") == []


def test_each_person_sees_their_own_channels_and_whispers(
    browser: Browser, client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    workspace.person("Ingrid").post("#board", "for the board")
    kari.post("#general", "for everyone")
    client.chat_postEphemeral(channel=ask, user=kari.id, text="for Kari")
    seen = {name: update(browser.live(name)) for name in ("Kari", "Tom", "Sindre")}
    assert sorted(texts(seen["Kari"])) == ["for Kari", "for everyone"]
    assert texts(seen["Tom"]) == ["for everyone"]
    assert sorted(texts(seen["Sindre"])) == ["for everyone", "for the board"]
    names = [channel.get("name") for channel in seen["Tom"]["rest"]["channels"]]
    assert "board" not in names


def test_changes_arrive_alone_and_removals_by_name(
    browser: Browser, client: WebClient, kari: Person, ask: str
) -> None:
    kari.post(ask, "first")
    live = browser.live("Kari")
    assert texts(update(live)) == ["first"]
    ts = client.chat_postMessage(channel=ask, text="second")["ts"]
    assert texts(update(live)) == ["second"]
    client.chat_update(channel=ask, ts=ts, text="second, better")
    assert texts(update(live)) == ["second, better"]
    client.chat_delete(channel=ask, ts=ts)
    assert update(live)["gone"] == [ts]
    workspace_only = client.conversations_history(channel=ask)
    assert len(workspace_only["messages"]) == 1
    live.settimeout(0.3)
    with pytest.raises(WebSocketTimeoutException):
        update(live)


def test_a_reply_brings_its_root_whose_count_has_changed(
    browser: Browser, kari: Person, ask: str
) -> None:
    root = kari.post(ask, "root")
    live = browser.live("Tom")
    update(live)
    kari.post(ask, "reply", thread_ts=root)
    changed = update(live)["messages"]
    assert {m["text"]: m.get("reply_count") for m in changed} == {"root": 1, "reply": None}


def test_the_whole_loop_can_be_done_by_gestures(
    browser: Browser,
    app: App,
    connect: Connect,
    client: WebClient,
    workspace: Workspace,
) -> None:
    pressed: list[dict[str, Any]] = []

    @app.action("go")
    def go(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        pressed.append(body)
        if "view" not in body:
            blocks = [section("Why?"), actions(button("inside"))]
            client.views_open(
                trigger_id=body["trigger_id"], view=modal(*blocks, modal()["blocks"][0])
            )

    @app.action("inside")
    def inside(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        pressed.append(body)

    @app.view("correction")
    def save(ack: Ack, view: dict[str, Any]) -> None:
        if view["state"]["values"]["better"]["text"]["value"] == "bad":
            ack(response_action="errors", errors={"better": "No."})
        else:
            ack()

    @app.command("/retrain")
    def retrain(ack: Ack) -> None:
        ack("on its way")

    @app.event("message")
    @app.event("app_mention")
    def hear() -> None: ...

    connect(app)
    ask = workspace.channel("ask-fjellro").id
    root = browser.act("Ingrid", "say", channel=ask, text="@Skredder how?")["ts"]
    assert workspace.message(root)["text"].startswith(f"<@{workspace.bot_user_id}>")
    ts = client.chat_postMessage(
        channel=ask, thread_ts=root, text="so", blocks=[actions(button())]
    )["ts"]
    assert browser.act("Ingrid", "press", source=ts, action_id="go")["is_ok"]
    view = workspace.wait_for(lambda: workspace.views_of("Ingrid"))[-1]["id"]
    typed = {"better": {"text": "half"}}
    browser.act("Ingrid", "press", source=view, action_id="inside", values=typed)
    assert pressed[-1]["view"]["state"]["values"]["better"]["text"]["value"] == "half"
    for text, errors in (("", "Please complete this required field."), ("bad", "No.")):
        answer = browser.act("Ingrid", "submit", view=view, values={"better": {"text": text}})
        assert (answer["is_ok"], answer["errors"]) == (False, {"better": errors})
    good = {"better": {"text": "good"}}
    assert browser.act("Ingrid", "submit", view=view, values=good)["is_ok"]
    assert workspace.views_of("Ingrid") == []
    browser.act("Ingrid", "command", channel=ask, line="/retrain run")
    assert workspace.ephemerals_of("Ingrid")[-1]["text"] == "on its way"
    browser.act("Ingrid", "react", ts=ts, name="eyes")
    assert workspace.message(ts)["reactions"][0]["name"] == "eyes"
    browser.act("Ingrid", "react", ts=ts, name="eyes", is_off=True)
    assert "reactions" not in workspace.message(ts)


@pytest.mark.parametrize(
    ("gesture", "details", "why"),
    [
        ("fly", {}, "there is no gesture 'fly'"),
        ("say", {"channel": "board", "text": "hello"}, "Kari is not in board"),
        ("say", {"channel": "moon", "text": "hello"}, "there is no channel 'moon'"),
        ("say", {"text": "hello"}, "'channel'"),
        ("press", {"source": "1.0", "action_id": "go"}, "sees no view 1.0"),
        ("command", {"channel": "general", "line": "status"}, "is not a slash command"),
    ],
)
def test_what_cannot_be_done_is_explained(
    browser: Browser, gesture: str, details: dict[str, Any], why: str
) -> None:
    answer = browser.act("Kari", gesture, **details)
    assert answer["is_ok"] is False
    assert why in answer["error"]


def test_a_permalink_leads_to_the_page(
    browser: Browser, client: WebClient, kari: Person, ask: str
) -> None:
    ts = kari.post(ask, "root")
    reply = kari.post(ask, "reply", thread_ts=ts)
    for message, place in ((ts, f"/#/{ask}/at/{ts}"), (reply, f"/#/{ask}/thread/{ts}")):
        link = client.chat_getPermalink(channel=ask, message_ts=message)["permalink"]
        with urlopen(link) as page:
            assert page.url == f"{browser.server.origin}{place}"


def test_a_page_that_cannot_be_shown_a_change_connects_anew(
    browser: Browser, kari: Person, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = browser.live("Kari")
    update(live)

    def broken(*_: Any) -> Any:
        raise RuntimeError("this cannot be shown")

    with monkeypatch.context() as once:
        once.setattr(page_api, "surroundings", broken)
        kari.post(ask, "not shown")
        assert live.recv() == ""  # the socket was closed; left open, it would time out
    live.shutdown()
    assert texts(update(browser.live("Kari"))) == ["not shown"]


def test_a_press_on_what_was_just_replaced_counts_for_that_and_never_for_another(
    app: App, connect: Connect, client: WebClient, browser: Browser, workspace: Workspace
) -> None:
    pressed: list[str] = []

    @app.action("approve")
    def approve(ack: Ack, payload: dict[str, Any]) -> None:
        pressed.append(payload["value"])
        ack()

    connect(app)
    ingrid = workspace.person("Ingrid").id

    def publish(*values: str) -> Any:
        blocks = [actions(button("approve", value=value)) for value in values]
        view = {"type": "home", "blocks": blocks}
        return client.views_publish(user_id=ingrid, view=view)["view"]

    seen = publish("1", "2")
    publish("2", "3")
    for block, value in zip(seen["blocks"], ("1", "2"), strict=True):
        told = browser.act(
            "Ingrid",
            "press",
            source=seen["id"],
            action_id="approve",
            block_id=block["block_id"],
            value=value,
        )
        assert told["is_ok"] is (value == "2")
    assert pressed == ["2"]
