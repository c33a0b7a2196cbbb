"""Finding what somebody uses or fills in, by the ids the app gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.workspace.inputs import elements
from bot.workspace.records import Json


class NoSuchElement(LookupError):
    """There is nothing to press or fill in by that name, and the message says what there is."""


@dataclass(frozen=True)
class Used:
    """An element that somebody used, the block it is in, and what was chosen."""

    block: Json
    element: Json
    value: Any


def used_element(blocks: list[Json], action_id: str, value: Any, block_id: str | None) -> Used:
    """Return the element that somebody uses; of several with one id, the one of that value.

    What is seen may have been replaced a moment ago, and its blocks with it: then it is the
    element of the same id and value that counts, never another one.

    Raises:
        NoSuchElement: it is not there.
    """
    everywhere = [pair for pair in elements(blocks) if pair[1]["action_id"] == action_id]
    found = [pair for pair in everywhere if block_id in (None, pair[0]["block_id"])]
    exact = [
        pair for pair in found or everywhere if value is not None and pair[1].get("value") == value
    ]
    if found or exact:
        block, element = (exact or found)[0]
        return Used(block, element, value)
    known = sorted({element["action_id"] for _, element in elements(blocks)})
    raise NoSuchElement(f"there is no {action_id!r} here; there are {known}")


def targets_of(blocks: list[Json], name: str, value: Any) -> list[tuple[str, str, Json, Any]]:
    """Return what a name means: block id, action id, element and value of each input.

    Raises:
        NoSuchElement: nothing is called that.
    """
    found = []
    for block, element in elements(blocks):
        action_id = element["action_id"]
        if block["block_id"] == name and isinstance(value, Mapping) and action_id in value:
            found.append((block["block_id"], action_id, element, value[action_id]))
        elif (block["block_id"] == name and not isinstance(value, Mapping)) or action_id == name:
            found.append((block["block_id"], action_id, element, value))
    if not found:
        known = [(block["block_id"], element["action_id"]) for block, element in elements(blocks)]
        raise NoSuchElement(f"there is no input {name!r} here; there are {known}")
    return found
