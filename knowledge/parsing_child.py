"""The process that reads risky files: `python -m knowledge.parsing_child`.

It reads requests from its standard input: a line of JSON, `{"uri": …, "size": …}`, and behind it
that many bytes of a file. It answers each with a line of JSON on its standard output: `page`, or
why there is none. Nothing that a file holds is ever run or unpickled.

A parser that loops is ended by the system when its time is over; one that asks for more memory than
it may have gets a `MemoryError`. The process ends by itself when nobody asks any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import select
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import Page, read_page

#: Without work for so long, in seconds, it ends; the next file starts another.
IDLE_SECONDS = 120.0

#: What a process of its kind never does, by the names of Python's audit events.
_FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove",
    "os.rename", "os.kill", "pickle.find_class", "shutil.", "urllib.Request",
)  # fmt: skip


_STATUS = Path("/proc/self/status")


def answer(data: bytes, uri: str) -> dict[str, Any]:
    """Read a file; return its page or the reason for which there is none, fit for JSON."""
    try:
        page = read_page(data, uri)
    except FileEmpty as empty:
        return {"empty": str(empty)}
    except FileUnreadable as unreadable:
        return {"unreadable": str(unreadable)}
    except MemoryError:
        return {"memory": True}
    except Exception as error:
        return {"failed": type(error).__name__, "trace": traceback.format_exc(limit=-8)}
    return {"page": _fields(page)}


def main() -> None:
    """Answer requests until there are no more."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    asked = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints is no answer
    confine(memory)
    while select.select([asked], [], [], IDLE_SECONDS)[0] and (line := asked.readline()):
        request = json.loads(line)
        data = asked.read(request["size"])
        if len(data) < request["size"]:
            return
        _allow(seconds)
        found = answer(data, request["uri"])
        del data
        answers.write(json.dumps(found).encode() + b"\n")
        answers.flush()
        if "memory" in found or _peak() > memory // 2:
            return  # what it has taken it would keep


def confine(memory: int) -> None:
    """Give up what no parser needs.

    Args:
        memory: The most address space that the process may have, in bytes.
    """
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a system that does not know this limit
            resource.setrlimit(kind, (most, most))
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: object) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"a parser tried {event}")


def _allow(seconds: int) -> None:
    """Let the process compute for so many seconds from now on."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    most = int(spent.ru_utime + spent.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _peak() -> int:
    """Return the most memory that was ever in use, in bytes.

    Linux hands getrusage's figure down from the process that started this one, which may be
    large; what it says of this program alone stands in /proc.
    """
    with contextlib.suppress(OSError):
        found = re.search(rb"^VmHWM:\s*(\d+) kB$", _STATUS.read_bytes(), re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _fields(page: Page) -> dict[str, str | None]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in asdict(page).items()
    }


if __name__ == "__main__":
    main()
    os._exit(0)  # at once: freeing what is in memory piece by piece takes time
