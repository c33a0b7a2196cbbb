"""A small OpenAI-compatible server on this machine that misbehaves when it is told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "served"
WORDS = ["Oslo", " is", " the", " capital", "."]


class FaultyServer:
    """Loads adapters as vLLM does. `fault` is what the next chat requests meet, if anything."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {MODEL: {"id": MODEL, "max_model_len": 600}}
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.fault: Callable[[_Handler], None] | None = None
        self.list_fault: Callable[[_Handler], None] | None = None
        self.loads_adapters = True
        self.pause = 0.0
        self.disconnected = threading.Event()
        self.is_ending = threading.Event()
        self._http = _QuietServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.owner = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def chats(self) -> int:
        """How often an answer was asked for."""
        return sum(1 for path, _, _ in self.requests if path == "/v1/chat/completions")

    @contextmanager
    def running(self) -> Iterator[FaultyServer]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.is_ending.set()
            self._http.shutdown()
            thread.join()
            self._http.server_close()


class _QuietServer(ThreadingHTTPServer):
    #: With the library's five, a hundred who come at once are cut off by the kernel.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are what is tested here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def owner(self) -> FaultyServer:
        found = self.server.owner  # type: ignore[attr-defined]
        assert isinstance(found, FaultyServer)
        return found

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        self.owner.requests.append((self.path, dict(self.headers), {}))
        if self.owner.list_fault is not None:
            self.owner.list_fault(self)
            return
        self.say(200, {"object": "list", "data": list(self.owner.models.values())})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.owner.requests.append((self.path, dict(self.headers), body))
        models = self.owner.models
        if self.path.endswith("_lora_adapter"):
            if not self.owner.loads_adapters:
                self.say(404, {"detail": "Not Found"})
            elif self.path == "/v1/load_lora_adapter":
                models[body["lora_name"]] = {"id": body["lora_name"], "parent": MODEL}
                self.say(200, "Success: LoRA adapter added successfully.")
            else:
                models.pop(body["lora_name"])
                self.say(200, "Success: LoRA adapter removed successfully.")
        elif self.owner.fault is not None:
            self.owner.fault(self)
        elif body["model"] not in models:
            message = f"The model `{body['model']}` does not exist."
            self.say(404, {"error": {"message": message, "code": 404}})
        else:
            self.stream_words()

    def say(self, status: int, content: object, **headers: str) -> None:
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        kind = "text/plain" if isinstance(content, str) else "application/json"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, text: str | None, finish: str | None = None) -> None:
        delta = {} if text is None else {"content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        self.raw(f"data: {json.dumps(chunk | {'choices': [choice]})}\n\n")

    def raw(self, text: str) -> None:
        try:
            self.wfile.write(text.encode())
            self.wfile.flush()
        except OSError:
            self.owner.disconnected.set()
            raise

    def stream_words(self) -> None:
        self.begin_stream()
        for word in WORDS:
            time.sleep(self.owner.pause)
            self.event(word)
        self.event(None, "stop")
        self.raw("data: [DONE]\n\n")


def status(code: int, times: int = 10**9, **headers: str) -> Callable[[_Handler], None]:
    """Answer with a status, so often; then as always."""
    left = [times]

    def misbehave(handler: _Handler) -> None:
        if left[0] > 0:
            left[0] -= 1
            handler.say(code, {"error": {"message": "not now"}}, **headers)
        else:
            handler.stream_words()

    return misbehave


def hang(handler: _Handler) -> None:
    """Take the question, and never say a word."""
    handler.begin_stream()
    handler.owner.is_ending.wait(20)


def hang_in_the_middle(handler: _Handler) -> None:
    handler.begin_stream()
    handler.event("Oslo")
    handler.owner.is_ending.wait(20)


def never_end(handler: _Handler) -> None:
    handler.begin_stream()
    try:
        while not handler.owner.is_ending.is_set():
            handler.event(" more")
    except OSError:
        return


def drip_for_ever(handler: _Handler) -> None:
    """Never silent for long, and never done."""
    handler.begin_stream()
    try:
        while not handler.owner.is_ending.wait(0.1):
            handler.event("")
    except OSError:
        return


def one_endless_line(handler: _Handler) -> None:
    handler.begin_stream()
    try:
        handler.raw("data: ")
        while not handler.owner.is_ending.is_set():
            handler.raw("x" * 100_000)
    except OSError:
        return


def hang_up(handler: _Handler) -> None:
    """Cut the connection with a reset, as a server that is killed does."""
    at_once = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    handler.connection.close()
    handler.close_connection = True


def no_json(handler: _Handler) -> None:
    handler.begin_stream()
    handler.raw("data: {this is no JSON\n\n")


def another_form(handler: _Handler) -> None:
    handler.begin_stream()
    handler.raw('data: {"choices": [{"delta": {"content": ["a", 1]}}]}\n\n')


def a_page(handler: _Handler) -> None:
    handler.say(200, "<html>It works!</html>")


def cut_off(handler: _Handler) -> None:
    handler.begin_stream()
    handler.event("Oslo")


def fault_in_the_stream(handler: _Handler) -> None:
    handler.begin_stream()
    handler.event("Oslo")
    handler.raw('data: {"error": {"message": "out of memory"}}\n\n')


def elsewhere(handler: _Handler) -> None:
    port = handler.server.server_address[1]
    handler.say(307, "", location=f"http://localhost:{port}/v1/elsewhere")
