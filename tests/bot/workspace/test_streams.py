"""Streamed messages: how they begin, grow, end, and what ends them early."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace import Person, Workspace
from tests.bot.workspace.samples import feedback


def code(client: WebClient, method: str, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


@pytest.fixture
def stream(client: WebClient, workspace: Workspace, kari: Person, ask: str) -> dict[str, Any]:
    """The channel and the ts of a stream in a thread of Kari's."""
    root = kari.mention(ask, "how many days?")
    started = client.chat_startStream(
        channel=ask,
        thread_ts=root,
        recipient_user_id=kari.id,
        recipient_team_id=workspace.team_id,
        markdown_text="You ",
    )
    return {"channel": ask, "ts": started["ts"]}


def test_a_stream_grows_and_ends_with_blocks_and_metadata(
    client: WebClient, workspace: Workspace, stream: dict[str, Any]
) -> None:
    assert workspace.message(stream["ts"])["streaming_state"] == "in_progress"
    client.chat_appendStream(**stream, markdown_text="get ")
    client.chat_appendStream(**stream, chunks=[{"type": "markdown_text", "text": "25"}])
    metadata = {"event_type": "answer", "event_payload": {"job": "7"}}
    client.chat_stopStream(
        **stream, blocks=[feedback()], metadata=metadata, session_status="active"
    )
    message = workspace.message(stream["ts"])
    assert message["text"] == "You get 25"
    assert message["metadata"] == metadata
    assert [b["type"] for b in message["blocks"]] == ["markdown", "context_actions"]
    assert [s.status for s in workspace.state.sessions.values()] == ["active"]


def test_tasks_of_a_stream_become_cards_that_change(
    client: WebClient, workspace: Workspace, stream: dict[str, Any]
) -> None:
    task = {"type": "task_update", "id": "search", "title": "Searching", "status": "in_progress"}
    client.chat_appendStream(**stream, chunks=[{**task, "details": "2 pages"}])
    source = {"type": "url", "url": "https://example.com", "text": "Handbook"}
    done = {**task, "status": "complete", "details": " read", "sources": [source]}
    client.chat_appendStream(**stream, chunks=[done, {"type": "markdown_text", "text": "25"}])
    parts = workspace.message(stream["ts"])["blocks"]
    assert [part["type"] for part in parts] == ["markdown", "task_card", "markdown"]
    assert parts[1]["status"] == "complete"
    assert parts[1]["sources"] == [source]
    details = parts[1]["details"]["elements"][0]["elements"]
    assert "".join(one["text"] for one in details) == "2 pages read"


def test_an_old_stream_takes_no_more_text_but_can_be_updated(
    client: WebClient, workspace: Workspace, stream: dict[str, Any]
) -> None:
    now = workspace.timing.clock()
    workspace.timing.clock = lambda: now + 299
    client.chat_appendStream(**stream, markdown_text="get ")
    workspace.timing.clock = lambda: now + 301
    error = "message_not_in_streaming_state"
    assert code(client, "chat.appendStream", **stream, markdown_text="25") == error
    assert code(client, "chat.stopStream", **stream) == error
    client.chat_update(**stream, text="You get 25")
    assert workspace.message(stream["ts"])["text"] == "You get 25"
    assert workspace.message(stream["ts"])["blocks"] == []


def test_a_stream_can_be_made_to_expire_now(
    client: WebClient, workspace: Workspace, stream: dict[str, Any]
) -> None:
    workspace.faults.expire_streams()
    error = "message_not_in_streaming_state"
    assert code(client, "chat.appendStream", **stream, markdown_text="25") == error


def test_a_running_stream_cannot_be_updated_or_deleted_and_a_stopped_one_not_continued(
    client: WebClient, stream: dict[str, Any]
) -> None:
    assert code(client, "chat.update", **stream, text="a") == "streaming_state_conflict"
    assert code(client, "chat.delete", **stream) == "cant_delete_message"
    client.chat_stopStream(**stream)
    error = "message_not_in_streaming_state"
    assert code(client, "chat.appendStream", **stream, markdown_text="a") == error
    assert code(client, "chat.stopStream", **stream) == error


def test_the_stop_button_ends_the_stream_and_tells_the_app(
    client: WebClient, workspace: Workspace, kari: Person, stream: dict[str, Any]
) -> None:
    root = workspace.message(stream["ts"])["thread_ts"]
    kari.stop_session(stream["channel"], root)
    event = list(workspace.state.undelivered.values())[-1]["event"]
    assert event["type"] == "agent_session_stopped"
    assert event["streaming_message_ts"] == [stream["ts"]]
    assert event["thread_ts"] == root
    assert code(client, "chat.appendStream", **stream, markdown_text="a") == "stopped_by_user"


def test_a_stream_in_a_channel_names_its_reader_and_in_a_direct_message_need_not(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    start = {"channel": ask, "thread_ts": kari.mention(ask, "how many?")}
    assert code(client, "chat.startStream", **start) == "missing_recipient_team_id"
    start["recipient_team_id"] = workspace.team_id
    assert code(client, "chat.startStream", **start) == "missing_recipient_user_id"
    start["recipient_user_id"] = "U_NOBODY"
    assert code(client, "chat.startStream", **start) == "user_not_found"
    direct: dict[str, Any] = {"channel": kari.dm_channel, "thread_ts": kari.dm("how many?")}
    assert client.chat_startStream(**direct)["ok"]


@pytest.mark.parametrize(
    ("chunk", "error"),
    [
        ({"type": "markdown_text", "text": "x" * 12_001}, "msg_too_long"),
        ({"type": "markdown", "text": "x"}, "invalid_chunks"),
        ({"type": "task_update", "id": "1", "title": "a", "status": "done"}, "invalid_chunks"),
        ({"type": "blocks", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ],
)
def test_wrong_chunks_are_refused(
    client: WebClient, stream: dict[str, Any], chunk: dict[str, Any], error: str
) -> None:
    assert code(client, "chat.appendStream", **stream, chunks=[chunk]) == error


def test_only_a_stream_can_be_appended_to(client: WebClient, ask: str) -> None:
    ts = client.chat_postMessage(channel=ask, text="a")["ts"]
    error = "message_not_in_streaming_state"
    assert code(client, "chat.appendStream", channel=ask, ts=ts, markdown_text="b") == error
    assert code(client, "chat.appendStream", channel=ask, ts="1.0", markdown_text="b") == (
        "message_not_found"
    )


def test_a_status_clears_itself_after_two_minutes(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    ts = kari.mention(ask, "how many?")
    client.assistant_threads_setStatus(
        channel_id=ask, thread_ts=ts, status="is reading…", loading_messages=["One", "Two"]
    )
    assert workspace.status_of(ask, ts) == "is reading…"
    now = workspace.timing.clock()
    workspace.timing.clock = lambda: now + 121
    assert workspace.status_of(ask, ts) == ""
    eleven = {"channel_id": ask, "thread_ts": ts, "status": "a", "loading_messages": ["a"] * 11}
    assert code(client, "assistant.threads.setStatus", **eleven) == "invalid_arguments"


def test_sessions_have_a_status_and_a_title(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    ts = kari.mention(ask, "how many?")
    place = {"channel_id": ask, "thread_ts": ts}
    made = client.agents_sessions_setStatus(**place, status="processing", title="Leave")
    assert (made["agent_status"], made["title"]) == ("processing", "Leave")
    kept = client.agents_sessions_setStatus(**place, status="suspended", title="Other")
    assert (kept["agent_status"], kept["title"]) == ("suspended", "Leave")
    client.api_call("agents.sessions.rename", json={**place, "title": "Days"})
    assert workspace.state.sessions[f"{ask}:{ts}"].title == "Days"
