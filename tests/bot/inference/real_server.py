"""A real OpenAI-compatible server in a process of its own: the one in transformers."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: A machine that needs longer than this to start it has better things to do.
STARTS_WITHIN_SECONDS = 45


@contextmanager
def transformers_serve(model: Path, folder: Path) -> Iterator[str]:
    """Serve a model's folder; yield the server's address. Skip where that cannot be had."""
    missing = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"`transformers serve` needs {missing[0]}, which is not installed")
    port = _free_port()
    command = [
        *(str(Path(sys.executable).with_name("transformers")), "serve", str(model)),
        *("--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"),
        *("--continuous-batching", "--cb-num-blocks", "512", "--cb-block-size", "32"),
        *("--cb-max-batch-tokens", "512", "--no-cb-use-cuda-graph"),
    ]
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
    environment = os.environ | offline | {"HF_HUB_CACHE": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait_until_it_answers(process, port, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"`transformers serve` ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.skip(f"`transformers serve` did not start within {STARTS_WITHIN_SECONDS} seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
