"""Slack's limits: what is one too long is refused, what just fits is taken."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace import Workspace
from bot.workspace.arguments import understood
from bot.workspace.errors import SlackError
from bot.workspace.limits import check_markdown, check_message_blocks, check_text, check_view
from tests.bot.workspace.samples import (
    actions,
    button,
    feedback,
    modal,
    option,
    plain,
    section,
    text_input,
)


def select(**more: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "s", "options": [option("a")], **more}


def fields(count: int, length: int = 1) -> dict[str, Any]:
    return {"type": "section", "fields": [plain("x" * length)] * count}


def votes(value: str) -> dict[str, Any]:
    block = feedback()
    block["elements"][0]["negative_button"]["value"] = value
    return block


def image(alt_text: str) -> dict[str, Any]:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": alt_text}


def table(rows: int, columns: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


#: What is limited, how much fits, and blocks that hold a given amount of it.
MESSAGE_LIMITS: list[tuple[str, int, Any]] = [
    ("blocks", 50, lambda n: [{"type": "divider"}] * n),
    ("section text", 3_000, lambda n: [section("x" * n)]),
    ("header", 150, lambda n: [{"type": "header", "text": plain("x" * n)}]),
    ("button text", 75, lambda n: [actions(button(text=plain("x" * n)))]),
    ("button value", 2_000, lambda n: [actions(button(value="x" * n))]),
    ("option value", 150, lambda n: [actions(select(options=[option("x" * n, "a")]))]),
    ("option text", 75, lambda n: [actions(select(options=[option("a", "x" * n)]))]),
    ("action_id", 255, lambda n: [actions(button("x" * n))]),
    ("block_id", 255, lambda n: [section(block_id="x" * n)]),
    ("markdown block", 12_000, lambda n: [{"type": "markdown", "text": "x" * n}]),
    (
        "markdown in all",
        12_000,
        lambda n: [{"type": "markdown", "text": "x" * k} for k in (6_000, n - 6_000)],
    ),
    (
        "all blocks",
        13_200,
        lambda n: [section("x" * 2_640) for _ in range(4)] + [section("x" * (n - 4 * 2_640))],
    ),
    ("fields", 10, lambda n: [fields(n)]),
    ("field text", 2_000, lambda n: [fields(1, n)]),
    ("context elements", 10, lambda n: [{"type": "context", "elements": [plain("x")] * n}]),
    ("buttons in a row", 25, lambda n: [actions(*(button(f"b{k}") for k in range(n)))]),
    ("feedback value", 2_000, lambda n: [votes("x" * n)]),
    ("table rows", 100, lambda n: [table(n, 2)]),
    ("table columns", 20, lambda n: [table(2, n)]),
    (
        "alt text",
        2_000,
        lambda n: [{"type": "image", "image_url": "https://x", "alt_text": "x" * n}],
    ),
]

VIEW_LIMITS: list[tuple[str, int, Any]] = [
    ("blocks", 100, lambda n: modal(*[{"type": "divider"}] * n)),
    ("title", 24, lambda n: modal(title=plain("x" * n))),
    ("submit", 24, lambda n: modal(submit=plain("x" * n))),
    ("close", 24, lambda n: modal(close=plain("x" * n))),
    ("private_metadata", 3_000, lambda n: modal(private_metadata="x" * n)),
    ("callback_id", 255, lambda n: modal(callback_id="x" * n)),
    ("initial value", 3_000, lambda n: modal(text_input(initial_value="x" * n))),
    ("max_length", 3_000, lambda n: modal(text_input(max_length=n))),
]


@pytest.mark.parametrize(
    ("most", "blocks"), [limit[1:] for limit in MESSAGE_LIMITS], ids=[m[0] for m in MESSAGE_LIMITS]
)
def test_a_message_takes_what_fits_and_not_one_more(most: int, blocks: Any) -> None:
    understood("chat.postMessage", {"channel": "C", "text": "a", "blocks": blocks(most)})
    check_message_blocks(blocks(most))
    with pytest.raises(SlackError, match=r"invalid_blocks|msg_blocks_too_long"):
        check_message_blocks(blocks(most + 1))


@pytest.mark.parametrize(
    ("most", "view"), [limit[1:] for limit in VIEW_LIMITS], ids=[v[0] for v in VIEW_LIMITS]
)
def test_a_view_takes_what_fits_and_not_one_more(most: int, view: Any) -> None:
    understood("views.open", {"trigger_id": "1.2.3", "view": view(most)})
    check_view(view(most))
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(view(most + 1))


def test_texts_have_limits_of_their_own() -> None:
    check_text("x" * 40_000)
    check_markdown("x" * 12_000)
    with pytest.raises(SlackError, match="msg_too_long"):
        check_text("x" * 40_001)
    with pytest.raises(SlackError, match="msg_too_long"):
        check_markdown("x" * 12_001)


def test_block_ids_and_action_ids_are_used_once() -> None:
    with pytest.raises(SlackError, match="'here' is used twice"):
        check_message_blocks([section(block_id="here"), section(block_id="here")])
    with pytest.raises(SlackError, match="'go' is used twice"):
        check_message_blocks([actions(button("go"), button("go"))])


def test_limits_hold_inside_containers_and_accessories() -> None:
    too_long = button(value="x" * 2_001)
    container = {
        "type": "container",
        "title": plain("Sources"),
        "child_blocks": [section(accessory=too_long)],
    }
    with pytest.raises(SlackError, match=r"child_blocks\[0\].accessory.value"):
        check_message_blocks([container])


def test_a_form_needs_a_button_to_submit_it() -> None:
    view = modal(text_input())
    del view["submit"]
    with pytest.raises(SlackError, match=r"view\.submit"):
        check_view(view)


def test_a_view_of_more_than_250_kilobytes_is_too_large() -> None:
    heavy = [
        {"type": "section", "fields": [plain("x" * 2_000)] * 10, "block_id": f"b{n}"}
        for n in range(13)
    ]
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(*heavy))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": ""}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"text": "a", "blocks": [section("x" * 3_001)]}, "invalid_blocks"),
    ],
)
def test_the_web_api_answers_with_slacks_codes(
    client: WebClient, workspace: Workspace, ask: str, arguments: Any, error: str
) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.api_call("chat.postMessage", json={"channel": ask, **arguments})
    assert caught.value.response["error"] == error
    assert workspace.messages("ask-fjellro") == []
