"""A call's arguments: read from a form or JSON, then checked against the types Slack states."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, relevance

from bot.workspace.errors import SlackError
from bot.workspace.records import Json

#: Arguments every method takes: the token, and the team that Bolt adds to each call.
COMMON = ("token", "team_id")

#: What Slack calls an argument of the wrong shape, where it has a word of its own.
_CODES = {
    "attachments": "invalid_attachments",
    "blocks": "invalid_blocks",
    "chunks": "invalid_chunks",
    "metadata": "invalid_metadata_format",
}
_UNION_OF_BLOCKS = "#/definitions/KnownBlock"
_TRUE, _FALSE = ("true", "1", "True"), ("false", "0", "False")


def understood(method: str, raw: Mapping[str, Any]) -> Json:
    """Return a method's arguments with the types its schema states, without the common ones.

    Forms hold everything as text, and lists and objects as JSON text; both are read here.

    Raises:
        SlackError: `invalid_arguments`, `invalid_blocks`, `invalid_chunks` and the like, with a
            sentence that says where; `unknown_method` for a method without a schema.
    """
    schema = _schemas()["methods"].get(method)
    if schema is None:
        raise SlackError("unknown_method", _about_unknown(method))
    properties = schema["properties"]
    arguments = {
        name: _coerced(value, properties.get(name, {}))
        for name, value in raw.items()
        if name not in COMMON and value is not None
    }
    for name in arguments:
        if name not in properties:
            raise SlackError("invalid_arguments", [f"[ERROR] unknown argument: {name}"])
    for name in schema.get("required", ()):
        if name not in arguments:
            raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
    for name, value in arguments.items():
        problem = _problem(value, properties[name])
        if problem is not None:
            code = _CODES.get(name, "invalid_arguments")
            raise SlackError(code, [f"[ERROR] {name}{problem}"])
    return arguments


def check_view(view: Any) -> None:
    """Check a view that came as the answer to a submission.

    Raises:
        SlackError: `invalid_arguments`, with a sentence that says where.
    """
    problem = _problem(view, {"$ref": "#/definitions/View"})
    if problem is not None:
        raise SlackError("invalid_arguments", [f"[ERROR] view{problem}"])


def check_blocks(blocks: Any) -> None:
    """Check blocks that came by a response URL or as the answer to a command.

    Raises:
        SlackError: `invalid_blocks`, with a sentence that says where.
    """
    problem = _problem(blocks, {"type": "array", "items": {"$ref": _UNION_OF_BLOCKS}})
    if problem is not None:
        raise SlackError("invalid_blocks", [f"[ERROR] blocks{problem}"])


def served_methods() -> list[str]:
    """Return the methods that have a schema here."""
    return sorted(_schemas()["methods"])


def _about_unknown(method: str) -> list[str]:
    if method in _known_methods():
        return [f"[WARN] Slack has {method}, but this workspace does not serve it."]
    return []


def _coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a form's text as the type that the schema wants; other values as they are."""
    if not isinstance(value, str):
        return value
    wanted = schema.get("type")
    if wanted == "boolean":
        return {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}.get(value, value)
    if wanted == "array" and schema["items"] == {"type": "string"} and not value.startswith("["):
        return [part for part in value.split(",") if part]
    if wanted in ("number", "array", "object") or "$ref" in schema:
        with suppress(ValueError):
            return json.loads(value)
    return value


def _problem(value: Any, schema: Mapping[str, Any], path: str = "") -> str | None:
    """Return where and why a value does not fit, or None if it does.

    Blocks and views are looked up by their `type` first, so that a misspelt key is reported as
    such and not as "fits none of twenty kinds of block".
    """
    if schema.get("type") == "array" and schema["items"].get("$ref") == _UNION_OF_BLOCKS:
        if not isinstance(value, list):
            return f"{path}: must be an array"
        problems = (_problem(item, schema["items"], f"{path}[{n}]") for n, item in enumerate(value))
        return next((problem for problem in problems if problem), None)
    reference = schema.get("$ref")
    if reference in (_UNION_OF_BLOCKS, "#/definitions/View"):
        return _problem_of_typed(value, _definition_name(reference), path)
    return _first_problem(_validator(json.dumps(schema)), value, path)


def _problem_of_typed(value: Any, union: str, path: str) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    name = _arms(union).get(kind) if isinstance(kind, str) else None
    if name is None:
        return f"{path}: unsupported type: {kind}"
    if union == "View":
        rest = {key: item for key, item in value.items() if key != "blocks"}
        problem = _first_problem(
            _validator(json.dumps({"$ref": f"#/definitions/{name}"})), {**rest, "blocks": []}, path
        )
        if "blocks" not in value:
            return problem or f"{path}: missing required field: blocks"
        wanted = {"type": "array", "items": {"$ref": _UNION_OF_BLOCKS}}
        return problem or _problem(value["blocks"], wanted, f"{path}.blocks")
    return _first_problem(_validator(json.dumps({"$ref": f"#/definitions/{name}"})), value, path)


def _first_problem(validator: Draft7Validator, value: Any, path: str) -> str | None:
    if validator.is_valid(value):
        return None
    error = max(validator.iter_errors(value), key=relevance)
    while error.validator == "anyOf" and error.context:
        error = _closest(error.context)
    where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
    return f"{path}{where}: {error.message[:300]}"


def _closest(alternatives: Iterable[ValidationError]) -> ValidationError:
    """Return the complaint of the alternative that was most likely meant.

    That is one whose `type` fits; among those the one that was understood furthest.
    """
    arms: dict[int, list[ValidationError]] = {}
    for error in alternatives:
        arms.setdefault(int(error.schema_path[0]), []).append(error)

    def misfit(errors: list[ValidationError]) -> tuple[bool, int, int]:
        wrong_kind = any(error.validator == "const" for error in errors)
        return wrong_kind, -max(len(error.path) for error in errors), len(errors)

    return min(arms.values(), key=misfit)[0]


def _definition_name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


@cache
def _arms(union: str) -> dict[str, str]:
    """Return the definitions of a union by the `type` they are for."""
    definitions = _schemas()["definitions"]
    arms: dict[str, str] = {}
    for arm in definitions[union]["anyOf"]:
        name = _definition_name(arm["$ref"])
        one = definitions[name]
        while "anyOf" in one:
            one = one["anyOf"][0]
        arms[one["properties"]["type"]["const"]] = name
    return arms


@cache
def _validator(schema: str) -> Draft7Validator:
    return Draft7Validator({**json.loads(schema), "definitions": _schemas()["definitions"]})


@cache
def _schemas() -> dict[str, Any]:
    folder = files("bot.workspace") / "schema"
    slack = json.loads((folder / "slack.schema.json").read_text("utf-8"))
    own = json.loads((folder / "methods.schema.json").read_text("utf-8"))
    slack["methods"] = {**slack["methods"], **own["methods"]}
    return dict(slack)


@cache
def _known_methods() -> frozenset[str]:
    folder = files("bot.workspace") / "schema"
    return frozenset(json.loads((folder / "known_methods.json").read_text("utf-8")))
