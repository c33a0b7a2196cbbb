"""The command's side: one request, progress as it comes, one answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


class NotRunning(Exception):
    """No bot runs on this home folder."""


class OperationFailed(Exception):
    """The bot refused or failed; the message is its own."""


def perform(
    file: Path,
    operation: str,
    arguments: dict[str, Any],
    on_progress: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Any:
    """Let the bot that runs here do an operation, and return its result.

    Raises:
        NotRunning: nobody answers at the address in `file`.
        OperationFailed: the bot says no, or ended before it had answered.
    """
    try:
        address = json.loads(file.read_text(encoding="utf-8"))
        connection = socket.create_connection(("127.0.0.1", int(address["port"])), timeout=5)
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning(str(error)) from error
    with connection:
        connection.settimeout(None)
        request = {"token": address["token"], "operation": operation, "arguments": arguments}
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                message = json.loads(line)
                if "progress" in message:
                    on_progress(message["progress"])
                elif "error" in message:
                    raise OperationFailed(message["error"])
                else:
                    return message["result"]
    raise OperationFailed("The bot stopped before it had answered. Try again when it runs.")
