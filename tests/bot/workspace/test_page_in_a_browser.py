"""The page in a real browser: the whole loop by hand, and text that wants to be more than text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import Ack, App, SetStatus
from slack_bolt.context.say_stream.say_stream import SayStream
from slack_sdk import WebClient

from bot.workspace import Person, Workspace, WorkspaceServer
from tests.bot.workspace.chromium import PROGRAM, Chromium
from tests.bot.workspace.samples import actions, button, feedback, modal, plain, section, text_input

Connect = Callable[[App], Any]

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed here")

MANIFEST = {
    "features": {
        "shortcuts": [{"type": "message", "name": "Correct this answer", "callback_id": "correct"}],
        "slash_commands": [{"command": "/retrain", "description": "Retraining"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "assistant:write"]}},
    "settings": {
        "event_subscriptions": {"bot_events": ["app_mention", "app_home_opened", "message.im"]}
    },
}


@pytest.fixture
def tab(workspace: Workspace, server: WorkspaceServer, tmp_path: Path) -> Iterator[Chromium]:
    workspace.install(MANIFEST)
    opened = Chromium(tmp_path / "profile", server.page_url)
    try:
        opened.wait("!!document.querySelector('.composer')")
        yield opened
    finally:
        opened.close()
    assert opened.complaints == []


def become(tab: Chromium, name: str) -> None:
    tab.evaluate(
        f"""(() => {{
            const who = document.querySelector('.who select');
            who.value = [...who.options].find((one) => one.text.startsWith('{name}')).value;
            who.dispatchEvent(new Event('change'));
        }})()"""
    )
    initial = name[0]
    tab.wait(f"document.querySelector('.who .avatar')?.innerText === '{initial}'")


def test_a_question_is_asked_answered_and_corrected_by_hand(
    app: App, connect: Connect, workspace: Workspace, tab: Chromium
) -> None:
    saved: list[str] = []
    may_end = threading.Event()

    @app.event("app_mention")
    def answer(set_status: SetStatus, say_stream: SayStream) -> None:
        set_status("is reading the handbook…")
        stream = say_stream(buffer_size=1)
        stream.append(markdown_text="You get **25** ")
        may_end.wait(10)
        stream.append(markdown_text="days [1].")
        stream.stop(blocks=[feedback()])

    @app.action("feedback")
    def vote(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal(text_input(min_length=5)))

    @app.view("correction")
    def save(ack: Ack, view: dict[str, Any], body: dict[str, Any], client: WebClient) -> None:
        saved.append(view["state"]["values"]["better"]["text"]["value"])
        ack()
        channel = workspace.channel("ask-fjellro").id
        client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text="Thank you!")

    connect(app)
    tab.click("#composer-main")
    tab.write("@Skr")
    assert "@Skredder" in tab.text(".suggestion")
    tab.press("Tab")
    tab.write("how many days?")
    tab.press("Enter")
    assert "You get 25" in tab.text("#thread .content .block-markdown")
    assert tab.evaluate("!!document.querySelector('#thread .caret')")
    assert (
        tab.evaluate("document.querySelector('#thread .block-markdown strong').innerText") == "25"
    )
    may_end.set()
    tab.wait("!document.querySelector('.caret') && !!document.querySelector('#thread .feedback')")

    tab.click("#thread .feedback button:nth-child(2)")
    assert tab.text("dialog h2") == "Correct this answer"
    assert tab.evaluate("document.activeElement.tagName") == "TEXTAREA"
    tab.write("25")
    tab.click("dialog .primary")
    assert tab.text(".field-error:not([hidden])") == "Must be at least 5 characters."
    tab.write(" days, five of them fixed.")
    tab.click("dialog .primary")
    tab.wait("!document.querySelector('dialog')")
    assert "Only visible to you" in tab.text(".message.ephemeral")
    assert saved == ["25 days, five of them fixed."]
    become(tab, "Tom")
    tab.wait("!document.querySelector('.message.ephemeral')")


def test_an_admin_types_a_command_and_confirms_a_button(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, tab: Chromium
) -> None:
    pressed: list[str] = []

    @app.command("/retrain")
    def retrain(ack: Ack, command: dict[str, Any]) -> None:
        ack(f"*Answering now:* {command['text']}")

    @app.action("promote")
    def promote(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        pressed.append(body["user"]["id"])
        place = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        client.chat_update(**place, text="Promoted", blocks=[section("*Promoted*")])

    connect(app)
    become(tab, "Sindre")
    board = workspace.channel("board").id
    confirm = {"title": plain("Promote?"), "text": plain("It answers everyone.")}
    blocks = [section("Run 7"), actions(button("promote", confirm=confirm))]
    client.chat_postMessage(channel=board, text="Run 7", blocks=blocks)
    tab.click(f"a[href='#/{board}']")
    tab.wait("document.querySelector('h1').innerText === 'board'")
    tab.click("#composer-main")
    tab.write("/retrain status")
    tab.press("Enter")
    assert "Answering now: status" in tab.text(".message.ephemeral .content")
    tab.click(".block-actions .button")
    assert "It answers everyone." in tab.text("dialog.small")
    tab.press("Escape")
    tab.wait("!document.querySelector('dialog')")
    assert pressed == []
    tab.click(".block-actions .button")
    tab.click("dialog.small .primary")
    tab.wait("document.querySelector('.block-section strong')?.innerText === 'Promoted'")
    assert pressed == [workspace.person("Sindre").id]


def test_text_stays_text_whatever_it_says(
    client: WebClient, workspace: Workspace, kari: Person, tab: Chromium, ask: str
) -> None:
    evil = "<img src=x onerror=window.broken=1><script>window.broken=1</script>"
    kari.post(ask, evil)
    client.chat_postMessage(channel=ask, text=f"{evil} <javascript:window.broken=1|click>")
    client.chat_postMessage(
        channel=ask, markdown_text=f"{evil} [click](javascript:window.broken=1)"
    )
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "link", "url": "javascript:window.broken=1", "text": evil}],
            }
        ],
    }
    picture = {"type": "image", "image_url": "https://example.com/spy.png", "alt_text": "a spy"}
    last = {"type": "header", "text": plain(evil)}
    client.chat_postMessage(channel=ask, text="blocks", blocks=[rich, picture, last])
    tab.wait("document.querySelectorAll('#messages .message').length === 4")
    tab.wait("!!document.querySelector('.block-header')")
    assert tab.evaluate("window.broken") is None
    content = "[...document.querySelectorAll('.content')]"
    assert tab.evaluate(f"{content}.every((one) => one.innerText.includes('<img src=x'))")
    assert tab.evaluate(f"{content}.some((one) => one.querySelector('script, img'))") is False
    links = tab.evaluate("[...document.querySelectorAll('.content a')].map((one) => one.href)")
    assert links == ["https://example.com/spy.png"]


def test_a_private_channel_is_not_on_everybodys_page(tab: Chromium, workspace: Workspace) -> None:
    assert "board" not in tab.text("#sidebar")
    become(tab, "Ingrid")
    assert "board" in tab.text("#sidebar")


def test_a_button_that_is_drawn_anew_while_it_is_held_is_pressed_all_the_same(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, tab: Chromium
) -> None:
    pressed = threading.Event()

    @app.action("approve")
    def approve(ack: Ack) -> None:
        ack()
        pressed.set()

    @app.event("app_home_opened")
    def opened(ack: Ack) -> None:
        ack()

    connect(app)
    become(tab, "Ingrid")
    ingrid = workspace.person("Ingrid").id

    def publish(text: str) -> None:
        client.views_publish(
            user_id=ingrid,
            view={"type": "home", "blocks": [section(text), actions(button("approve"))]},
        )

    publish("before")
    tab.evaluate("location.hash = '#/home'")
    tab.wait("document.querySelector('#home')?.innerText.includes('before')")
    tab.evaluate("import('/page/live.js').then(({ store }) => (window.known = store))")
    tab.wait("!!window.known")
    let_go = tab.hold("document.querySelector('#home .button')")
    publish("after")
    tab.wait("known.rest.home.blocks[0].text.text === 'after'")
    let_go()
    tab.wait("document.querySelector('#home').innerText.includes('after')")
    assert pressed.wait(5)
