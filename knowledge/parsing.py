"""Reading files that may be hostile or broken: in another process, which may die of them.

One process serves for many files. It is started when the first such file comes, and anew when it
was ended: by a limit, by a crash, or by itself when nobody asked for a while.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import Page, read_page

log = logging.getLogger(__name__)

#: Read without a detour while small: no parser of ours takes longer than seconds for so little.
_PLAIN = frozenset((".md", ".markdown", ".mdx", ".txt", ".text", ".html", ".htm", ".xhtml"))
_PLAIN |= frozenset((".csv", ".tsv"))
_SMALL = 64 * 1024

_PIECE = 1024 * 1024
_LONGEST_ANSWER = 128 * 1024**2

#: What the process gets of our environment: enough to find its modules, and no secret.
_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


@dataclass(frozen=True)
class ParsingLimits:
    """What reading one file may take.

    Attributes:
        memory: Address space, in bytes.
        processor_seconds: Seconds of computing.
        seconds: Seconds by the clock.
    """

    memory: int = 1536 * 1024**2
    processor_seconds: int = 60
    seconds: float = 120.0


class _Ended(Exception):
    """The process ended without an answer."""


class _TookTooLong(Exception):
    """There was no answer in time."""


class Parsing:
    """Reads files: small plain ones here, all others in a process with limits."""

    def __init__(self, limits: ParsingLimits = ParsingLimits()) -> None:
        """Start nothing yet."""
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._ender: weakref.finalize[[subprocess.Popen[bytes], float], Parsing] | None = None
        self._turn = threading.Lock()

    def read_page(self, data: bytes, uri: str) -> Page:
        """Read the document that a file's bytes hold, as `readers.read_page` does.

        Raises:
            FileEmpty: nothing is written in it.
            FileUnreadable: it holds no document, none that can be read, or reading it took more
                time or memory than any document needs.
        """
        if len(data) <= _SMALL and PurePosixPath(uri).suffix.lower() in _PLAIN:
            return read_page(data, uri)
        with self._turn:
            return _page(self._ask(data, uri), uri)

    def interrupt(self) -> None:
        """Give up the file that is being read, if there is one: it is unreadable then."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process, if there is one. Another file would start it again."""
        self.interrupt()
        with self._turn:
            self._end()

    @property
    def process_id(self) -> int | None:
        """The process that reads, while there is one."""
        return self._process.pid if self._process is not None else None

    def _ask(self, data: bytes, uri: str) -> Mapping[str, Any]:
        """Return the process's answer.

        Raises:
            FileUnreadable: it gave none.
        """
        request = json.dumps({"uri": uri, "size": len(data)}).encode() + b"\n"
        if self._process is not None and self._process.poll() is not None:
            self._end()  # it ended while nobody asked, which says nothing of this file
        for attempt in (1, 2):
            process = self._process or self._start()
            try:
                line = _exchange(process, request, data, self._limits.seconds)
                return _object(line)
            except _TookTooLong:
                self._end(patience=0)
                reason = f"reading it took longer than {self._limits.seconds:.0f} seconds"
                log.warning("parsing_stopped uri=%r reason=%r", uri, reason)
                raise FileUnreadable(reason) from None
            except (_Ended, ValueError):
                code = self._end(patience=5)
                if code == 0 and attempt == 1:  # it had gone, for want of work
                    continue
                reason = self._why(code)
                log.warning("parsing_stopped uri=%r code=%s", uri, code)
                raise FileUnreadable(reason) from None
        raise AssertionError("the second attempt returns or raises")

    def _start(self) -> subprocess.Popen[bytes]:
        limits = self._limits
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        try:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "knowledge.parsing_child"),
                    *(str(limits.memory), str(limits.processor_seconds)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # One thread: each more takes address space, and the parsers have no use for it.
                env=kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                cwd=Path(__file__).parents[1],
                start_new_session=True,  # Ctrl-C is for us; we end it ourselves
            )
        except OSError as error:
            reason = f"the process that reads such files cannot be started ({error.strerror})"
            raise FileUnreadable(reason) from error
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        self._process = process
        self._ender = weakref.finalize(self, _end, process, 0.5)
        return process

    def _end(self, patience: float = 0.5) -> int:
        """End the process, by force after so many seconds; return the code it ended with."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if self._ender is not None:
            self._ender.detach()
        return _end(process, patience)

    def _why(self, code: int) -> str:
        if code == -signal.SIGXCPU:
            return (
                f"reading it took more than {self._limits.processor_seconds} seconds of computing"
            )
        if code == -signal.SIGKILL:
            return "reading it was ended by the system, which was short of memory"
        return f"reading it crashed the parser ({_code(code)})"


def _exchange(
    process: subprocess.Popen[bytes], request: bytes, data: bytes, seconds: float
) -> bytes:
    """Send a request with a file, and return the line that answers it.

    Raises:
        _Ended: the process ended before it had answered.
        _TookTooLong: the time is over.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    waiting = [memoryview(request), memoryview(data)]
    line = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        ready.register(process.stdin, selectors.EVENT_WRITE)
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in ready.select(left):
                if key.fileobj is process.stdout:
                    piece = os.read(process.stdout.fileno(), _PIECE)
                    if not piece or len(line) > _LONGEST_ANSWER:
                        raise _Ended
                    line += piece
                    if piece.endswith(b"\n"):
                        return bytes(line)
                    continue
                try:
                    sent = os.write(process.stdin.fileno(), waiting[0][:_PIECE])
                except BrokenPipeError:
                    raise _Ended from None
                waiting[0] = waiting[0][sent:]
                if not waiting[0]:
                    del waiting[0]
                if not any(waiting):
                    ready.unregister(process.stdin)
    raise _TookTooLong


def _end(process: subprocess.Popen[bytes], patience: float) -> int:
    """Close a process's input and wait for its end; return the code with which it ended."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(patience)  # it ends when its input does, unless a parser loops
    process.kill()
    return process.wait()


def _object(line: bytes) -> Mapping[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _page(found: Mapping[str, Any], uri: str) -> Page:
    """Return the page in an answer, or raise the reason for which there is none."""
    if "page" in found:
        page = found["page"]
        return Page(
            title=page["title"],
            text=page["text"],
            owner=page["owner"],
            updated_at=_moment(page["updated_at"]),
            reviewed_until=_moment(page["reviewed_until"]),
        )
    if "empty" in found:
        raise FileEmpty(found["empty"])
    if "unreadable" in found:
        raise FileUnreadable(found["unreadable"])
    if "memory" in found:
        raise FileUnreadable("reading it takes more memory than any document needs")
    log.error("file not read uri=%r\n%s", uri, found.get("trace"))
    raise FileUnreadable(f"reading it failed ({found.get('failed')})")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _code(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"code {code}"
    except ValueError:
        return f"signal {-code}"
