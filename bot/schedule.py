"""The schedule: when it is looked whether a retraining is due, and when sources are gone through.

APScheduler only ticks; whether a run starts is decided in SQL, where the period's key is unique
and only one run may be open. Two schedulers therefore start one run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bot.told import Told
from storage import choices
from storage.clock import utc_now
from storage.database import Database

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


#: When a retraining is looked for if somebody turned that off.
OFF = "off"

#: Under which scope and name the choice is kept.
_SCOPE, _NAME = "training", "schedule"


class ScheduleRefused(Told):
    """The schedule stays as it is; the message says why."""


class RetrainSchedule:
    """When it is looked whether a retraining is due: as the settings say, or an admin in Slack.

    It is asked once a minute and reads the choice from SQL, so that every replica follows it at
    once. Only one run may be open, so two replicas that look start one run.
    """

    def __init__(self, database: Database, line: str, look: Callable[[str], None]) -> None:
        """Take the cron line of the settings, and what looks; it is given the period's key."""
        self._database = database
        self._default = line
        self._look = look
        self._looked_until = utc_now()

    def line(self) -> str:
        """Return the cron line that holds now, or `off`."""
        with self._database.read() as session:
            return choices.chosen(session, _SCOPE, _NAME) or self._default

    def change(self, line: str, actor: str) -> None:
        """Look at other times from now on; `off` for never.

        Raises:
            ScheduleRefused: this is no cron line of five fields.
        """
        wanted = line.strip().strip("`")
        if wanted.lower() != OFF:
            _trigger(wanted)
        with self._database.write() as session:
            choices.choose(session, _SCOPE, _NAME, wanted.lower(), actor)

    def following(self, after: datetime | None = None) -> datetime | None:
        """Return when it is looked next, in UTC; None if never."""
        line = self.line()
        if line == OFF:
            return None
        found: datetime | None = _trigger(line).get_next_fire_time(None, after or utc_now())
        return found

    def tick(self, _period: str) -> None:
        """Look, if a time to look has come since the last tick."""
        now = utc_now()
        due = self.following(self._looked_until + timedelta(microseconds=1))
        self._looked_until = now
        if due is not None and due <= now:
            self._look(f"schedule:{due:%Y-%m-%dT%H:%M}")


def _trigger(line: str) -> Any:
    from apscheduler.triggers.cron import CronTrigger

    try:
        return CronTrigger.from_crontab(line, timezone="UTC")
    except ValueError:
        raise ScheduleRefused(
            "`{line}` is not a time: write five fields as in `0 2 * * *` (02:00 UTC), or `off`.",
            line=line[:60],
        ) from None
