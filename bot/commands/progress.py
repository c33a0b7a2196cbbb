"""A bar for long work, on stderr, gone when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bot.commands.installation import errors


class _RateColumn(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        """Show the rate, once there is one."""
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else f"{rate:.1f}/s", style="progress.data.speed")


@contextmanager
def bar(description: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Show a bar; yields what to call with `done`, `total` and, if it changes, `name`."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
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
