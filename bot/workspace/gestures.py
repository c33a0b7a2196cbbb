"""Gestures on the page: each is one method of `Person`, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.workspace.elements import NoSuchElement
from bot.workspace.person import Person
from bot.workspace.records import Json


class GestureRefused(Exception):
    """The page asked for something that cannot be; the message says what."""


def perform(person: Person, gesture: str, details: Json) -> Json:
    """Do what somebody did on the page, and return what came of it.

    Raises:
        GestureRefused: the gesture is unknown, or cannot be done.
    """
    action = _GESTURES.get(gesture)
    if action is None:
        raise GestureRefused(f"there is no gesture {gesture!r}")
    try:
        return action(person, details)
    except (KeyError, TypeError) as error:
        raise GestureRefused(f"{gesture}: {error}") from error
    except (NoSuchElement, PermissionError, ValueError) as error:
        raise GestureRefused(str(error)) from error


def _say(person: Person, details: Json) -> Json:
    thread_ts = details.get("thread_ts")
    return {"ts": person.post(details["channel"], str(details["text"]), thread_ts)}


def _command(person: Person, details: Json) -> Json:
    answer = person.slash(str(details["line"]), details["channel"])
    return {"is_ok": answer.is_ok, "error": answer.error}


def _press(person: Person, details: Json) -> Json:
    source = details["source"]
    if details.get("values"):
        person.fill(source, details["values"])
    value = details.get("value")
    answer = person.press(source, details["action_id"], value, block_id=details.get("block_id"))
    return {"is_ok": answer.is_ok, "error": answer.error}


def _submit(person: Person, details: Json) -> Json:
    result = person.submit(details["view"], details.get("values") or {})
    return {"is_ok": result.is_accepted, "errors": result.errors, "error": result.trouble}


def _close(person: Person, details: Json) -> Json:
    person.close(details["view"], is_all=bool(details.get("is_all")))
    return {}


def _shortcut(person: Person, details: Json) -> Json:
    answer = person.shortcut(details["ts"], details["callback_id"])
    return {"is_ok": answer.is_ok, "error": answer.error}


def _global_shortcut(person: Person, details: Json) -> Json:
    answer = person.global_shortcut(details["callback_id"])
    return {"is_ok": answer.is_ok, "error": answer.error}


def _react(person: Person, details: Json) -> Json:
    change: Callable[[str, str], Any] = person.unreact if details.get("is_off") else person.react
    change(details["ts"], details["name"])
    return {}


def _open(person: Person, details: Json) -> Json:
    if details["tab"] == "home":
        person.open_home(timeout=None)
    else:
        person.open_messages()
    return {}


def _stop(person: Person, details: Json) -> Json:
    person.stop_session(details["channel"], details["thread_ts"])
    return {}


def _join(person: Person, details: Json) -> Json:
    person.join(details["channel"])
    return {}


_GESTURES: dict[str, Callable[[Person, Json], Json]] = {
    "say": _say,
    "command": _command,
    "press": _press,
    "submit": _submit,
    "close": _close,
    "shortcut": _shortcut,
    "global_shortcut": _global_shortcut,
    "react": _react,
    "open": _open,
    "stop": _stop,
    "join": _join,
}
