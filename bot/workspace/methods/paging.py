"""Cursors: a long answer in pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.workspace.errors import SlackError
from bot.workspace.records import Json

Item = TypeVar("Item")

DEFAULT_LIMIT = 100
HIGHEST_LIMIT = 1_000


def page(items: Sequence[Item], arguments: Json) -> tuple[Sequence[Item], Json]:
    """Return the items that `limit` and `cursor` ask for, and the field with the next cursor.

    Raises:
        SlackError: `invalid_limit` or `invalid_cursor`.
    """
    limit = int(arguments.get("limit") or DEFAULT_LIMIT)
    if not 1 <= limit <= HIGHEST_LIMIT:
        raise SlackError("invalid_limit")
    start = 0
    if arguments.get("cursor"):
        try:
            start = int(base64.b64decode(arguments["cursor"]).decode("ascii").removeprefix("next:"))
        except (ValueError, binascii.Error, UnicodeDecodeError) as error:
            raise SlackError("invalid_cursor") from error
    end = start + limit
    if end >= len(items):
        return items[start:end], {}
    cursor = base64.b64encode(f"next:{end}".encode()).decode("ascii")
    return items[start:end], {"response_metadata": {"next_cursor": cursor}}
