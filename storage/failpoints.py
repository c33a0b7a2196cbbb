"""Named places where a test may pull the plug.

A failpoint does nothing unless the environment variable `SKREDDER_FAIL_AT` names it, as `name` or
`name:N` for its Nth pass; then the process ends at once, with no clean-up, as under `kill -9`.
"""

from __future__ import annotations

import os
import threading
from collections import Counter

VARIABLE = "SKREDDER_FAIL_AT"

#: The exit code of a process ended by SIGKILL, as a shell reports it (128 + 9).
KILLED = 137

_passes: Counter[str] = Counter()
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """End the process here if the environment asks for it."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    wanted_name, _, wanted_pass = wanted.partition(":")
    if wanted_name != name:
        return
    with _lock:
        _passes[name] += 1
        if _passes[name] == int(wanted_pass or 1):
            os._exit(KILLED)
