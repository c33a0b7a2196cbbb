"""What people fill in: the state of inputs as Slack sends it, from plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.workspace.records import Json

#: The key under which an element's state holds what was chosen, and where it starts.
_SINGLE = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
}
_LISTS = ("checkboxes", "multi_static_select", "multi_users_select")


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield every interactive element with the block it is in."""
    for block in blocks:
        kind = block["type"]
        if kind == "container":
            yield from elements(block["child_blocks"])
        found = [block.get("accessory"), block.get("element")]
        if kind in ("actions", "context_actions"):
            found += block["elements"]
        for element in found:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def initial_values(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """Return the state of every input as it is before anybody touched it."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in elements(blocks):
        kind = element["type"]
        if kind in _SINGLE:
            key, start = _SINGLE[kind]
            value = element.get(start, [] if kind in _LISTS else None)
            state = {"type": kind, key: value}
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def filled(element: Json, value: Any) -> Json:
    """Return an element's state with `value` filled in.

    For selects and the like `value` is the value of an option (a list of them for checkboxes and
    multi-selects), or the option's text.

    Raises:
        ValueError: there is no such option, or the element takes nothing.
    """
    kind = element["type"]
    if kind not in _SINGLE:
        raise ValueError(f"a {kind} takes no value")
    key, _ = _SINGLE[kind]
    if key == "selected_option":
        return {"type": kind, key: None if value is None else option_of(element, value)}
    if key == "selected_options":
        return {"type": kind, key: [option_of(element, one) for one in value or ()]}
    # Slack sends null for what was emptied.
    return {"type": kind, key: None if value == "" else value}


def option_of(element: Json, value: Any) -> Json:
    """Return an element's option by its value or its text.

    Raises:
        ValueError: there is none.
    """
    if isinstance(value, dict):
        value = value.get("value", value.get("text", {}).get("text"))
    options = list(element.get("options", ()))
    for group in element.get("option_groups", ()):
        options += group["options"]
    for option in options:
        if value in (option.get("value"), option["text"]["text"]):
            return dict(option)
    known = [option.get("value") for option in options]
    raise ValueError(f"{element.get('action_id')} has no option {value!r}; it has {known}")


def is_empty(state: Json) -> bool:
    """Return whether nothing is filled in."""
    return not [v for k, v in state.items() if k != "type" and v not in (None, "", [])]


def missing(blocks: list[Json], values: dict[str, dict[str, Json]]) -> dict[str, str]:
    """Return what Slack itself refuses before it asks the app: errors by block id."""
    problems: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        text = state.get("value")
        if is_empty(state):
            if not block.get("optional"):
                problems[block["block_id"]] = "Please complete this required field."
        elif element["type"] == "plain_text_input" and isinstance(text, str):
            least, most = element.get("min_length", 0), element.get("max_length", 3_000)
            if len(text) < least:
                problems[block["block_id"]] = f"Must be at least {least} characters."
            if len(text) > most:
                problems[block["block_id"]] = f"Must be at most {most} characters."
    return problems
