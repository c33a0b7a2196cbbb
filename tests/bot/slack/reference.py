"""Slack's own types, where they lie beside the project: every call of the bot is held to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from bot.workspace.ledger import Call

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "slack"

#: Why nothing can be held to the types, when they are not there.
MISSING = "Slack's types (../shared/slack/*.schema.json) are not beside the project"

#: Methods whose definition is not called as they are.
_SHORT = {
    "assistant.threads.setStatus": "A_setStatus",
    "assistant.threads.setSuggestedPrompts": "A_setPrompts",
}


def is_here() -> bool:
    """Whether Slack's types lie beside the project."""
    return (FOLDER / "web-api.schema.json").is_file()


def violations(calls: Iterable[Call]) -> list[str]:
    """Return what of the calls does not fit Slack's types: the method, where, and why."""
    found = []
    for call in calls:
        name = _SHORT.get(call.method, "A_" + call.method.replace(".", "_"))
        found += _misfits(call.method, _validator("web-api", name), call.arguments)
        # A method takes blocks of any type; those that Slack knows are in another file.
        blocks = (call.arguments.get("view") or call.arguments).get("blocks") or ()
        for block in blocks:
            found += _misfits(call.method, _validator("block-kit", "KnownBlock"), block)
    return found


def _misfits(method: str, validator: Draft7Validator | None, value: Any) -> list[str]:
    error = best_match(validator.iter_errors(value)) if validator is not None else None
    if error is None:
        return []
    where = ".".join(str(part) for part in error.absolute_path) or "arguments"
    return [f"{method}: {where}: {error.message[:400]}"]


@cache
def _definitions(file: str) -> dict[str, Any]:
    if not is_here():
        return {}
    whole = json.loads((FOLDER / f"{file}.schema.json").read_text("utf-8"))
    return dict(whole["definitions"])


@cache
def _validator(file: str, name: str) -> Draft7Validator | None:
    definitions = _definitions(file)
    if name not in definitions:
        return None
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})
