"""A bar for long work, on stderr, gone when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bot.commands.installation import errors


@contextmanager
def bar(description: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Show a bar; yields what to call with `done`, `total` and, if it changes, `name`."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
    ) as shown:
        task = shown.add_task(description, total=None)

        def advance(step: dict[str, Any]) -> None:
            shown.update(
                task,
                completed=step.get("done", 0),
                total=step.get("total"),
                description=step.get("name") or description,
            )

        yield advance
