"""The bot's side: takes one request a connection, streams progress, answers once."""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

#: A request is a line of JSON, at most this long in bytes.
LONGEST_REQUEST = 1_000_000

Progress = Callable[[dict[str, Any]], None]
Perform = Callable[[str, dict[str, Any], Progress], Any]


class ControlServer:
    """Listens on loopback until it is closed."""

    def __init__(self, file: Path, perform: Perform, user_errors: tuple[type[Exception], ...]):
        """Start listening.

        Args:
            file: Where the port and the token are written, readable by the owner only.
            perform: Does an operation by its name; called on the connection's thread.
            user_errors: Errors whose message is meant for the person who asked.
        """
        token = secrets.token_urlsafe(32)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _serve(self, token, perform, user_errors)

        self._file = file
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="control", daemon=True
        )
        self._thread.start()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump({"port": self._server.server_address[1], "token": token}, opened)

    def close(self) -> None:
        """Stop listening and take the file away."""
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _serve(
    handler: socketserver.StreamRequestHandler,
    token: str,
    perform: Perform,
    user_errors: tuple[type[Exception], ...],
) -> None:
    def send(message: dict[str, Any]) -> None:
        handler.wfile.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        handler.wfile.flush()

    try:
        request = json.loads(handler.rfile.readline(LONGEST_REQUEST))
        given = str(request["token"])
        operation, arguments = str(request["operation"]), dict(request["arguments"])
    except (ValueError, KeyError, TypeError):
        send({"error": "That was not a request."})
        return
    if not hmac.compare_digest(given.encode(), token.encode()):
        send({"error": "Wrong token."})
        return
    try:
        result = perform(operation, arguments, lambda step: send({"progress": step}))
        send({"result": result})
    except user_errors as error:
        send({"error": str(error)})
    except BrokenPipeError:
        log.info("the command went away operation=%s", operation)
    except Exception as error:
        log.exception("operation failed operation=%s", operation)
        send({"error": f"The bot could not do this: {type(error).__name__}: {error}"})
