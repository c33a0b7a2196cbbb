"""A workspace in a file: what it remembers after a restart."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.workspace import Timing, Workspace, WorkspaceServer
from bot.workspace.records import Json
from tests.bot.workspace.samples import feedback, modal, section


def everything(workspace: Workspace) -> Json:
    return {**workspace.state.to_json(), "origin": ""}


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    first = Workspace(state_file=path)
    with WorkspaceServer(first) as server:
        client = WebClient(base_url=server.base_url, token=server.bot_token)
        kari = first.person("Kari")
        ask = first.channel("ask-fjellro").id
        ts = kari.mention(ask, "how many <days>?")
        kari.react(ts, "eyes")
        client.chat_postMessage(channel=ask, text="25", thread_ts=ts, blocks=[feedback()])
        started = client.chat_startStream(
            channel=ask,
            thread_ts=ts,
            recipient_user_id=kari.id,
            recipient_team_id=first.team_id,
            markdown_text="half a sen",
        )
        client.chat_postEphemeral(channel=ask, user=kari.id, text="psst")
        client.views_publish(user_id=kari.id, view={"type": "home", "blocks": [section("Hi")]})
        client.views_open(trigger_id=first.tickets.new_trigger(kari.id), view=modal())
        client.agents_sessions_setStatus(channel_id=ask, thread_ts=ts, status="processing")
        client.assistant_threads_setStatus(channel_id=ask, thread_ts=ts, status="is reading")
        client.assistant_threads_setSuggestedPrompts(
            channel_id=kari.dm_channel, prompts=[{"title": "Leave", "message": "How many?"}]
        )
        client.files_upload_v2(content=b"\x00\xff", filename="a.bin", channel=ask)
        first.add_usergroup("experts", ["Ingrid"])
    second = Workspace(state_file=path)
    assert everything(second) == everything(first)
    assert second.messages(ask, ts) == first.messages(ask, ts)
    with WorkspaceServer(second) as server:
        client = WebClient(base_url=server.base_url, token=server.bot_token)
        client.chat_appendStream(channel=ask, ts=started["ts"], markdown_text="tence")
        assert second.message(started["ts"])["text"] == "half a sentence"
        assert float(second.person("Kari").post(ask, "later")) > float(started["ts"])


def test_what_the_app_has_not_acknowledged_is_sent_again_after_a_restart(tmp_path: Path) -> None:
    from slack_bolt import App
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    path = tmp_path / "workspace.json"
    first = Workspace(state_file=path)
    with WorkspaceServer(first):
        first.person("Kari").dm("is anybody there?")
    second = Workspace(state_file=path, timing=Timing(ping=0.05))
    heard: list[str] = []
    with WorkspaceServer(second) as server:
        app = App(client=WebClient(base_url=server.base_url, token=server.bot_token))

        @app.event("message")
        def listen(event: Json) -> None:
            heard.append(event["text"])

        handler = SocketModeHandler(app, server.app_token)
        handler.connect()  # type: ignore[no-untyped-call]
        second.wait_for(lambda: heard)
        second.wait_for(lambda: not second.state.undelivered)
        handler.close()  # type: ignore[no-untyped-call]
    assert heard == ["is anybody there?"]
    assert [attempt.number for attempt in second.sockets.attempts] == [1]


def test_it_is_saved_within_a_second_and_not_for_every_change(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    workspace = Workspace(state_file=path)
    kari = workspace.person("Kari")
    for n in range(20):
        kari.post("#general", f"message {n}")
    assert not path.exists()
    end = time.monotonic() + 5
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert len(json.loads(path.read_text("utf-8"))["messages"]) == 20
    workspace.close()


def test_a_file_that_holds_something_else_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99"):
        Workspace(state_file=path)
    assert path.read_text() == '{"format": 99}'
