"""The schedule: once a night it is looked whether a retraining is due.

APScheduler only ticks; whether a run starts is decided in SQL, where the period's key is unique
and only one run may be open. Two schedulers therefore start one run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from storage.clock import utc_now

log = logging.getLogger(__name__)


class Schedule:
    """Calls back at the times of a cron line, in UTC."""

    def __init__(self, crontab: str, look: Callable[[str], None]) -> None:
        """Take the cron line and what to call with the period's key.

        Args:
            crontab: Five fields, in UTC, so that no hour of the year comes twice or never.
            look: Looks whether a retraining is due, and starts it.
        """
        from apscheduler.schedulers.background import BackgroundScheduler
        from apscheduler.triggers.cron import CronTrigger

        self._look = look
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_job(self._tick, CronTrigger.from_crontab(crontab, timezone="UTC"))

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more."""
        self._scheduler.shutdown(wait=False)

    def _tick(self) -> None:
        period = f"schedule:{utc_now():%Y-%m-%dT%H:%M}"
        try:
            self._look(period)
        except Exception:
            log.exception("the look for a due retraining failed period=%s", period)
