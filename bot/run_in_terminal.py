"""A run for `skredder train run`: followed in the bot, or done in the command's own process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.retraining import Retrainings
from storage import jobs
from storage.database import Database
from storage.runs import Run

Progress = Callable[[dict[str, Any]], None]

#: While the command works, nobody else may take the job; a killed command's job is free then.
_LEASE = timedelta(hours=12)


class _Bar:
    """Shows a run in the terminal's bar."""

    def __init__(self, retrainings: Retrainings, on_progress: Progress) -> None:
        self._retrainings = retrainings
        self._on_progress = on_progress

    def progress(self, _text: str) -> None:
        """Show how far the open run is."""
        run = self._retrainings.current_run()
        if run is not None:
            show(run, self._on_progress)

    def finished(self, _text: str, _plot: Path | None) -> None:
        """Nothing: the command prints the outcome."""


def show(run: Run, on_progress: Progress) -> None:
    """Report a run's progress as a bar takes it."""
    on_progress(
        {"done": run.step, "total": run.steps or None, "name": f"run {run.id}: {run.state}"}
    )


def follow_run(retrainings: Retrainings, run: Run, on_progress: Progress) -> dict[str, Any]:
    """Wait for a run that the bot does, until it has ended or is paused."""
    while (now := retrainings.current_run()) is not None and now.id == run.id:
        if now.is_paused:
            break
        show(now, on_progress)
        time.sleep(0.5)
    return _outcome(retrainings)


def run_here(
    database: Database,
    retrainings: Retrainings,
    actor: str,
    key: str,
    on_progress: Progress,
) -> dict[str, Any]:
    """Do a run in this process; one that was interrupted or paused is gone on with."""
    run = retrainings.current_run()
    if run is None or run.is_paused:
        retrainings.request(actor, key)
    with database.write() as session:
        jobs.release_all_but(session, "nobody")
        job = jobs.claim(session, f"command-{key}", _LEASE, ["retrain"])
    if job is not None:
        retrainings.run(job, _Bar(retrainings, on_progress))
        with database.write() as session:
            jobs.finish_if_open(session, job)
    return _outcome(retrainings)


def _outcome(retrainings: Retrainings) -> dict[str, Any]:
    last = retrainings.last_run()
    assert last is not None
    return {
        "run": last.id,
        "state": last.state,
        "message": last.message,
        "table": retrainings.report_text(last),
        "report": last.report,
    }
