"""The Web API: who may call, what is refused, and what a bad network does."""

from __future__ import annotations

import json
import time
from http.client import RemoteDisconnected
from typing import Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace import Workspace, WorkspaceServer

MANIFEST = {
    "features": {"slash_commands": [{"command": "/retrain", "description": "Retraining"}]},
    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
}


def refused(client: WebClient, method: str, **arguments: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=arguments)
    return caught.value


def code(client: WebClient, method: str, **arguments: Any) -> str:
    return str(refused(client, method, **arguments).response["error"])


def test_the_app_learns_who_it_is(client: WebClient, workspace: Workspace) -> None:
    who = client.auth_test()
    assert who["user_id"] == workspace.bot_user_id
    assert who["team_id"] == workspace.team_id
    assert "chat:write" in who.headers["x-oauth-scopes"]


def test_only_the_apps_own_tokens_are_taken(server: WorkspaceServer) -> None:
    assert code(WebClient(base_url=server.base_url), "auth.test") == "not_authed"
    wrong = WebClient(base_url=server.base_url, token="xoxb-somebody-elses")
    assert code(wrong, "auth.test") == "invalid_auth"
    app_token = WebClient(base_url=server.base_url, token=server.app_token)
    assert code(app_token, "auth.test") == "not_allowed_token_type"
    bot_token = WebClient(base_url=server.base_url, token=server.bot_token)
    assert code(bot_token, "apps.connections.open") == "not_allowed_token_type"


def test_methods_that_do_not_exist_or_are_not_served_are_refused(client: WebClient) -> None:
    assert code(client, "chat.sendMessage") == "unknown_method"
    error = refused(client, "chat.meMessage")
    assert error.response["error"] == "unknown_method"
    assert "does not serve it" in error.response["response_metadata"]["messages"][0]


@pytest.mark.parametrize(
    ("method", "arguments", "where"),
    [
        ("chat.postMessage", {"channel": "C", "text": "a", "txt": "b"}, "unknown argument: txt"),
        ("chat.postMessage", {"text": "a"}, "missing required field: channel"),
        ("chat.postMessage", {"channel": 7, "text": "a"}, "channel: 7 is not of type 'string'"),
        ("conversations.replies", {"channel": "C"}, "missing required field: ts"),
        ("agents.sessions.setStatus", {"channel_id": "C", "status": "busy"}, "status: 'busy'"),
        ("views.open", {"view": {"type": "modal"}}, "view: 'title' is a required property"),
    ],
)
def test_wrong_arguments_are_refused_and_named(
    client: WebClient, method: str, arguments: dict[str, Any], where: str
) -> None:
    error = refused(client, method, **arguments)
    assert error.response["error"] == "invalid_arguments"
    assert where in error.response["response_metadata"]["messages"][0]


@pytest.mark.parametrize(
    ("block", "where"),
    [
        ({"type": "secton"}, "blocks[0]: unsupported type: secton"),
        ({"type": "section"}, "blocks[0]: needs a text or fields"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "a"}}, "blocks[0].text.type"),
        (
            {"type": "section", "text": {"type": "mrkdwn", "text": "a"}, "colour": "red"},
            "'colour' was unexpected",
        ),
        (
            {"type": "actions", "elements": [{"type": "button", "action_id": "a", "value": "1"}]},
            "'text' is a required property",
        ),
        ({"type": "actions", "elements": []}, "blocks[0].elements: must not be empty"),
        (
            {"type": "context_actions", "elements": [{"type": "button", "action_id": "a"}]},
            "blocks[0].elements[0]",
        ),
    ],
)
def test_wrong_blocks_are_refused_and_named(
    client: WebClient, ask: str, block: dict[str, Any], where: str
) -> None:
    error = refused(client, "chat.postMessage", channel=ask, text="a", blocks=[block])
    assert error.response["error"] == "invalid_blocks"
    assert where in error.response["response_metadata"]["messages"][0]


def test_forms_and_json_are_understood_alike(client: WebClient, ask: str) -> None:
    blocks = [{"type": "divider", "block_id": "line"}]
    as_json = client.api_call(
        "chat.postMessage", json={"channel": ask, "text": "a", "blocks": blocks}
    )
    as_form = client.api_call(
        "chat.postMessage",
        params={"channel": ask, "text": "a", "blocks": json.dumps(blocks), "mrkdwn": True},
    )
    as_parts = client.api_call(
        "chat.postMessage", data={"channel": ask, "text": "a", "blocks": json.dumps(blocks)}
    )
    shown = [answer["message"]["blocks"] for answer in (as_json, as_form, as_parts)]
    assert shown == [blocks] * 3


def test_the_team_that_bolt_adds_to_each_call_is_allowed(
    server: WorkspaceServer, workspace: Workspace, ask: str
) -> None:
    bolts = WebClient(base_url=server.base_url, token=server.bot_token, team_id=workspace.team_id)
    assert bolts.chat_postMessage(channel=ask, text="a")["ok"]
    assert bolts.conversations_history(channel=ask)["ok"]


def test_a_body_that_is_no_json_object_is_refused(server: WorkspaceServer) -> None:
    answers = []
    for body in (b"{", b"[]"):
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {server.bot_token}",
        }
        request = Request(f"{server.base_url}chat.postMessage", data=body, headers=headers)
        with urlopen(request) as answer:
            answers.append(json.load(answer)["error"])
    assert answers == ["invalid_json", "json_not_object"]


def test_a_rate_limit_says_how_long_to_wait(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    workspace.faults.rate_limit("chat.postMessage", calls=1, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=ask, text="a")
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "7"
    assert client.chat_postMessage(channel=ask, text="a")["ok"]
    assert [m["text"] for m in workspace.messages("ask-fjellro")] == ["a"]


@pytest.mark.parametrize("status", [500, 503])
def test_server_errors_change_nothing(
    client: WebClient, workspace: Workspace, ask: str, status: int
) -> None:
    workspace.faults.server_error("chat.postMessage", status=status)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=ask, text="a")
    assert caught.value.response.status_code == status
    assert workspace.messages("ask-fjellro") == []


def test_a_connection_dropped_after_the_effect_posts_twice_if_the_client_repeats(
    client: WebClient, server: WorkspaceServer, workspace: Workspace, ask: str
) -> None:
    workspace.faults.drop_after("chat.postMessage")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        client.chat_postMessage(channel=ask, text="once")
    assert [m["text"] for m in workspace.messages("ask-fjellro")] == ["once"]

    workspace.faults.drop_after("chat.postMessage")
    by_default = WebClient(base_url=server.base_url, token=server.bot_token)
    by_default.chat_postMessage(channel=ask, text="twice")
    texts = [m["text"] for m in workspace.messages("ask-fjellro")]
    assert texts == ["once", "twice", "twice"]
    assert len(workspace.ledger.effects("chat.postMessage")) == 3
    assert [c.status for c in workspace.ledger.calls("chat.postMessage")] == [0, 0, 200]


def test_a_connection_dropped_before_the_effect_changes_nothing(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    workspace.faults.drop_before("chat.postMessage")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        client.chat_postMessage(channel=ask, text="a")
    assert workspace.messages("ask-fjellro") == []
    assert workspace.ledger.effects("chat.postMessage") == []


def test_a_method_can_be_slow_refused_or_missing(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    workspace.faults.delay("auth.test", 0.2)
    began = time.monotonic()
    client.auth_test()
    assert time.monotonic() - began >= 0.2
    workspace.faults.refuse("users.info", "user_not_allowed")
    assert code(client, "users.info", user=workspace.bot_user_id) == "user_not_allowed"
    assert client.users_info(user=workspace.bot_user_id)["ok"]
    workspace.faults.remove_method("chat.startStream")
    start = {"channel": ask, "thread_ts": "1.2"}
    assert code(client, "chat.startStream", **start) == "unknown_method"
    workspace.faults.restore_method("chat.startStream")
    assert code(client, "chat.startStream", **start) == "missing_recipient_team_id"


def test_a_manifest_limits_what_the_app_may_call_and_type(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    workspace.install(MANIFEST)
    assert client.chat_postMessage(channel=ask, text="a")["ok"]
    error = refused(client, "reactions.add", channel=ask, name="eyes", timestamp="1.2")
    assert error.response["error"] == "missing_scope"
    assert "reactions:write" in error.response["response_metadata"]["messages"][0]
    sindre = workspace.person("Sindre")
    assert sindre.slash("/ask how").error == "not_a_command"
    assert sindre.slash("/retrain status").error == "dispatch_failed"
    before = len(workspace.state.undelivered)
    sindre.post(ask, "not heard without a subscription to message.channels")
    sindre.mention(ask, "heard once, as app_mention")
    assert len(workspace.state.undelivered) == before + 1


def test_requests_by_another_name_are_refused(server: WorkspaceServer) -> None:
    from urllib.error import HTTPError

    request = Request(f"{server.base_url}auth.test", headers={"Host": "rebound.example"})
    with pytest.raises(HTTPError, match="403"):
        urlopen(request)


def test_the_server_stays_on_this_machine(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        WorkspaceServer(workspace, host="0.0.0.0")


def test_the_ledger_keeps_every_call_without_the_token(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    client.chat_postMessage(channel=ask, text="a", token=client.token)
    code(client, "chat.update", channel=ask, ts="1.0", text="b")
    first, second = workspace.ledger.calls()
    assert first.is_ok
    assert first.arguments == {"channel": ask, "text": "a"}
    assert (second.method, second.error, second.has_taken_effect) == (
        "chat.update",
        "message_not_found",
        False,
    )
    assert workspace.ledger.refused() == [second]
