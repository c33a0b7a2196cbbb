"""A run's line to SQL: its progress, its lease, and whether it is to end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from storage import runs
from storage.database import Database
from storage.runs import Run
from training.job import TrainingProgress

#: How long a run belongs to its process without a sign of life.
LEASE = timedelta(minutes=3)
#: How often the lease is renewed and a cancellation looked for, in seconds.
_RENEW_SECONDS = 10.0

log = logging.getLogger(__name__)


class RunWatch:
    """Writes down how far a claimed run is. Every write raises `RunLost` once it is not ours."""

    def __init__(
        self,
        database: Database,
        run: Run,
        on_progress: Callable[[Run], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Take the claimed run, whom to show it to, and what says that this process ends."""
        self.run_id = run.id
        self.attempt = run.attempt
        self.cancelled_by = run.cancelled_by
        self._database = database
        self._on_progress = on_progress
        self._is_stopping = is_stopping
        self._renewed = 0.0
        self._step = 0
        self._steps = 0
        self._began = time.monotonic()

    def enter(self, state: str, message: str) -> None:
        """Begin a stage."""
        log.info("run_stage run=%d state=%s", self.run_id, state)
        with self._database.write() as session:
            runs.enter(session, self.run_id, self.attempt, state, message)
        self.begin(0, message)

    def begin(self, steps: int, message: str) -> None:
        """Begin a part of a stage that has `steps` steps, or an unknown number (0)."""
        self._began = time.monotonic()
        self._step, self._steps = 0, steps
        self._write(message=message)

    def step(self, count: int, total: int | None = None, message: str | None = None) -> None:
        """Note that `count` further steps are done, of `total` if that is known now."""
        self._steps = self._steps if total is None else total
        self._step = min(self._step + count, self._steps)
        self._write(message=message)

    def share(self, share: float) -> None:
        """Note which share of the stage is done, 0 to 1; written down in whole tenths."""
        if int(share * 10) != self._step:
            self._step, self._steps = int(share * 10), 10
            self._write()

    def trained(self, progress: TrainingProgress) -> None:
        """Note a step of the training process."""
        self._step, self._steps = progress.step, progress.steps
        self._write(
            loss=progress.loss,
            tokens_per_second=progress.tokens_per_second,
            seconds_left=progress.seconds_left,
            message=f"loss {progress.loss:.2f}, {progress.tokens_per_second:.0f} tokens a second",
        )

    def should_stop(self) -> bool:
        """Whether to stop: the process ends, or somebody cancelled. Renews the lease."""
        if time.monotonic() > self._renewed + _RENEW_SECONDS:
            with self._database.write() as session:
                run = runs.renew(session, self.run_id, self.attempt, LEASE)
            self._renewed = time.monotonic()
            self.cancelled_by = run.cancelled_by
        return self.cancelled_by is not None or self._is_stopping()

    def let_go(self) -> None:
        """Let the next process take the run at once."""
        with self._database.write() as session:
            runs.release(session, self.run_id, self.attempt)

    def pause(self, message: str) -> Run:
        """Let the run wait, open, until somebody says that it may go on."""
        log.info("run_paused run=%d", self.run_id)
        with self._database.write() as session:
            return runs.pause(session, self.run_id, self.attempt, message)

    def finish(
        self, state: Literal["failed", "cancelled"], message: str, error: str | None = None
    ) -> Run:
        """End the run without a version."""
        with self._database.write() as session:
            return runs.finish(
                session, self.run_id, self.attempt, state, message=message, error=error
            )

    def _write(self, **values: Any) -> None:
        if "seconds_left" not in values and self._step:
            seconds = time.monotonic() - self._began
            values["seconds_left"] = seconds / self._step * (self._steps - self._step)
        with self._database.write() as session:
            runs.progress(
                session, self.run_id, self.attempt, step=self._step, steps=self._steps, **values
            )
            run = runs.get(session, self.run_id)
        self._on_progress(run)
