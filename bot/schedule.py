"""The schedule: when it is looked whether a retraining is due, and when sources are gone through.

APScheduler only ticks; whether a run starts is decided in SQL, where the period's key is unique
and only one run may be open. Two schedulers therefore start one run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from storage.clock import utc_now

log = logging.getLogger(__name__)


class Schedule:
    """Calls back at the times of cron lines, in UTC."""

    def __init__(self) -> None:
        """Begin without anything to do."""
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def add(self, name: str, crontab: str, look: Callable[[str], None]) -> None:
        """Add something to do.

        Args:
            name: What it is, for the log.
            crontab: Five fields, in UTC, so that no hour of the year comes twice or never.
            look: Called with the period's key.
        """
        from apscheduler.triggers.cron import CronTrigger

        def tick() -> None:
            period = f"schedule:{utc_now():%Y-%m-%dT%H:%M}"
            try:
                look(period)
            except Exception:
                log.exception("scheduled work failed name=%s period=%s", name, period)

        self._scheduler.add_job(tick, CronTrigger.from_crontab(crontab, timezone="UTC"))

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more."""
        self._scheduler.shutdown(wait=False)
