"""What a machine may run out of while it trains: disk and memory, known by what libraries say."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

#: PyTorch's archive writer turns whatever the disk says into an error of its own, without the
#: reason; a write that stops short is a full disk wherever the disk is not broken.
_DISK = re.compile(
    r"no space left|os error 28|os error 122|disk (is )?full|disk quota|"
    r"PytorchStreamWriter failed writing|inline_container\.cc.*unexpected pos",
    re.IGNORECASE | re.DOTALL,
)
_MEMORY = re.compile(r"out of memory|(allocate|enough) memory", re.IGNORECASE)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it came of, is that the disk or a quota is full."""
    return any(
        (isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT))
        or _DISK.search(str(each)) is not None
        for each in _chain(error)
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it came of, is that memory ran out."""
    return any(
        isinstance(each, MemoryError) or _MEMORY.search(str(each)) is not None
        for each in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        yield found
        seen.append(found)
        found = found.__cause__ or found.__context__
