"""The checker that every call is held to, and that it bites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace.ledger import Call
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace
from tests.bot.slack import reference


@pytest.fixture(scope="module")
def server() -> Iterator[WorkspaceServer]:
    workspace = Workspace()
    workspace.install({"oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    with WorkspaceServer(workspace) as opened:
        yield opened


def _call(method: str, arguments: dict[str, Any]) -> Call:
    return Call(1, 0.0, method, arguments, {"ok": True}, 200, True)


MESSAGE = {"channel": "C1", "text": "Hei"}

WRONG = {
    "an unknown argument": MESSAGE | {"shout": True},
    "a missing argument": {"text": "Hei"},
    "an unknown block": MESSAGE | {"blocks": [{"type": "fireworks"}]},
    "a misspelt key": MESSAGE | {"blocks": [{"type": "markdown", "texts": "Hei"}]},
}


@pytest.mark.skipif(not reference.is_here(), reason=reference.MISSING)
@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_what_slack_has_no_type_for_is_found(arguments: dict[str, Any]) -> None:
    assert reference.violations([_call("chat.postMessage", arguments)])


@pytest.mark.skipif(not reference.is_here(), reason=reference.MISSING)
def test_what_slack_has_a_type_for_is_let_through() -> None:
    blocks = [{"type": "markdown", "text": "Hei"}, {"type": "divider"}]
    assert reference.violations([_call("chat.postMessage", MESSAGE | {"blocks": blocks})]) == []


REFUSED = {
    "a text that is too long": ("chat.postMessage", {"text": "x" * 40_001}, "msg_too_long"),
    "too many blocks": (
        "chat.postMessage",
        {"blocks": [{"type": "divider"}] * 51},
        "invalid_blocks",
    ),
    "too much markdown": (
        "chat.postMessage",
        {"blocks": [{"type": "markdown", "text": "x" * 12_001}]},
        "invalid_blocks",
    ),
    "a button whose text is too long": (
        "chat.postMessage",
        {
            "blocks": [
                {
                    "type": "actions",
                    "elements": [
                        {"type": "button", "text": {"type": "plain_text", "text": "x" * 76}}
                    ],
                }
            ]
        },
        "invalid_blocks",
    ),
    "a method without its scope": ("reactions.add", {"name": "eyes"}, "missing_scope"),
    "an argument that is not known": ("chat.postMessage", {"shout": "yes"}, "invalid_arguments"),
}


@pytest.mark.parametrize(("method", "arguments", "code"), REFUSED.values(), ids=REFUSED)
def test_the_local_workspace_refuses(
    server: WorkspaceServer, method: str, arguments: dict[str, Any], code: str
) -> None:
    client = WebClient(server.bot_token, server.base_url, retry_handlers=[])
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json={"channel": "C01GENERAL", "text": "Hei"} | arguments)
    assert refused.value.response["error"] == code
