"""Slack's limits: how long a text, how many blocks. Types are checked before, in `arguments`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.workspace.errors import SlackError
from bot.workspace.records import Json

TEXT = 40_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN = 12_000
#: Characters of all blocks of one message. Slack does not document it; this is what users report.
ALL_BLOCKS = 13_200
VIEW_BYTES = 250_000
MODALS = 3
INPUT = 3_000

_ID = 255
_OPTIONS = (
    ("options[].value", 150),
    ("options[].text.text", 75),
    ("options[].description.text", 75),
)
_CONFIRM = (
    ("confirm.title.text", 100),
    ("confirm.text.text", 300),
    ("confirm.confirm.text", 30),
    ("confirm.deny.text", 30),
)

#: What is limited in an object, by its `type`: characters of a text, or entries of a list.
_MOST: dict[str, tuple[tuple[str, int], ...]] = {
    "actions": (("elements", 25),),
    "button": (("text.text", 75), ("value", 2_000), ("url", 3_000), *_CONFIRM),
    "checkboxes": (("options", 10), *_OPTIONS, *_CONFIRM),
    "context": (("elements", 10), ("elements[].text", 3_000)),
    "context_actions": (("elements", 5),),
    "feedback_buttons": (
        ("positive_button.text.text", 75),
        ("positive_button.value", 2_000),
        ("negative_button.text.text", 75),
        ("negative_button.value", 2_000),
    ),
    "header": (("text.text", 150),),
    "icon_button": (("text.text", 75), ("value", 2_000), *_CONFIRM),
    "image": (("alt_text", 2_000), ("image_url", 3_000), ("title.text", 2_000)),
    "input": (("label.text", 2_000), ("hint.text", 2_000)),
    "multi_static_select": (("options", 100), ("placeholder.text", 150), *_OPTIONS, *_CONFIRM),
    "overflow": (("options", 5), *_OPTIONS, *_CONFIRM),
    "plain_text_input": (("initial_value", 3_000), ("placeholder.text", 150)),
    "radio_buttons": (("options", 10), *_OPTIONS, *_CONFIRM),
    "section": (("text.text", 3_000), ("fields", 10), ("fields[].text", 2_000)),
    "static_select": (("options", 100), ("placeholder.text", 150), *_OPTIONS, *_CONFIRM),
    "table": (("rows", 100), ("rows[]", 20)),
}

#: What may not be empty.
_LEAST: dict[str, tuple[str, ...]] = {
    "actions": ("elements",),
    "checkboxes": ("options",),
    "context": ("elements",),
    "context_actions": ("elements",),
    "markdown": ("text",),
    "mrkdwn": ("text",),
    "overflow": ("options",),
    "plain_text": ("text",),
    "radio_buttons": ("options",),
}


def check_text(text: str) -> None:
    """Refuse a message text that is too long.

    Raises:
        SlackError: `msg_too_long`.
    """
    if len(text) > TEXT:
        raise SlackError("msg_too_long", [f"[ERROR] {len(text)} characters, {TEXT} are allowed"])


def check_markdown(text: str) -> None:
    """Refuse a `markdown_text` that is too long.

    Raises:
        SlackError: `msg_too_long`.
    """
    if len(text) > MARKDOWN:
        raise SlackError(
            "msg_too_long", [f"[ERROR] {len(text)} characters of markdown, {MARKDOWN} are allowed"]
        )


def check_message_blocks(blocks: list[Json]) -> None:
    """Refuse the blocks of a message that Slack would refuse.

    Raises:
        SlackError: `invalid_blocks`, or `msg_blocks_too_long` for too much text in all.
    """
    problems = list(_problems(blocks, MESSAGE_BLOCKS, "blocks"))
    if problems:
        raise SlackError("invalid_blocks", [f"[ERROR] {problem}" for problem in problems])
    length = sum(len(text) for text in _texts(blocks))
    if length > ALL_BLOCKS:
        raise SlackError(
            "msg_blocks_too_long", [f"[ERROR] {length} characters in blocks, {ALL_BLOCKS} fit"]
        )


def check_view(view: Json) -> None:
    """Refuse a view that Slack would refuse.

    Raises:
        SlackError: `invalid_arguments`, or `view_too_large`.
    """
    problems = list(_problems(view["blocks"], VIEW_BLOCKS, "view.blocks"))
    for name in ("title", "submit", "close"):
        text = view.get(name, {}).get("text", "")
        if len(text) > 24:
            problems.append(f"view.{name}: more than 24 characters")
    if view["type"] == "modal" and not view["title"]["text"].strip():
        problems.append("view.title: must not be empty")
    for name, most in (("private_metadata", 3_000), ("callback_id", _ID), ("external_id", _ID)):
        if len(view.get(name, "")) > most:
            problems.append(f"view.{name}: more than {most} characters")
    has_input = any(block["type"] == "input" for block in view["blocks"])
    if has_input and view["type"] == "modal" and "submit" not in view:
        problems.append("view.submit: is required when there is an input block")
    if problems:
        raise SlackError("invalid_arguments", [f"[ERROR] {problem}" for problem in problems])
    if len(json.dumps(view)) > VIEW_BYTES:
        raise SlackError("view_too_large")


def _problems(blocks: list[Json], most: int, where: str) -> Iterator[str]:
    if len(blocks) > most:
        yield f"{where}: {len(blocks)} blocks, {most} are allowed"
    block_ids: set[str] = set()
    markdown = 0
    for n, block in enumerate(blocks):
        here = f"{where}[{n}]"
        block_id = block.get("block_id", "")
        if block_id and block_id in block_ids:
            yield f"{here}: block_id {block_id!r} is used twice"
        block_ids.add(block_id)
        if block["type"] == "markdown":
            markdown += len(block["text"])
        yield from _problems_of_object(block, here)
        yield from _action_id_problems(block, here)
    if markdown > MARKDOWN:
        yield f"{where}: {markdown} characters of markdown in all, {MARKDOWN} are allowed"


def _problems_of_object(item: Json, here: str) -> Iterator[str]:
    """Check one block or element and everything in it."""
    kind = item.get("type", "")
    for name in ("action_id", "block_id"):
        if len(item.get(name, "")) > _ID:
            yield f"{here}.{name}: more than {_ID} characters"
    for path, most in _MOST.get(kind, ()):
        length = max(_lengths(item, path.split(".")), default=0)
        if length > most:
            yield f"{here}.{path}: {length}, at most {most} are allowed"
    for name in _LEAST.get(kind, ()):
        if not item[name]:
            yield f"{here}.{name}: must not be empty"
    if kind == "section" and not item.get("text") and not item.get("fields"):
        yield f"{here}: needs a text or fields"
    if kind == "plain_text_input" and item.get("max_length", 0) > INPUT:
        yield f"{here}.max_length: at most {INPUT} is allowed"
    for name, value in item.items():
        for where, part in _parts(value, f"{here}.{name}"):
            yield from _problems_of_object(part, where)


def _parts(value: Any, here: str) -> Iterator[tuple[str, Json]]:
    """Yield the objects in a value, with where each stands."""
    if isinstance(value, dict):
        yield here, value
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _parts(one, f"{here}[{n}]")


def _lengths(item: Any, path: list[str]) -> Iterator[int]:
    """Yield how long that is which a path leads to: several for `fields[]`, none if missing."""
    if not path:
        if isinstance(item, str | list):
            yield len(item)
        return
    first, *rest = path
    value = item.get(first.removesuffix("[]")) if isinstance(item, dict) else None
    if first.endswith("[]"):
        for one in value or ():
            yield from _lengths(one, rest)
    elif value is not None:
        yield from _lengths(value, rest)


def _action_id_problems(block: Json, here: str) -> Iterator[str]:
    seen: set[str] = set()
    for element in block.get("elements", ()) if block["type"] != "rich_text" else ():
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if action_id and action_id in seen:
            yield f"{here}: action_id {action_id!r} is used twice"
        seen.add(action_id or "")


def _texts(item: Any) -> Iterator[str]:
    """Yield every text that a reader sees in blocks."""
    if isinstance(item, list):
        for one in item:
            yield from _texts(one)
    elif isinstance(item, dict):
        for name, value in item.items():
            if name == "text" and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from _texts(value)
