"""A canary: the challenger answers a share of the threads until people's votes have decided."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from storage import canaries, versions
from storage.canaries import CanaryRefused, Thread
from storage.database import Database
from storage.versions import PromotionRefused, Version
from training.canary import CanaryRules, CanaryState, judge

log = logging.getLogger(__name__)

#: How long people have to vote on a thread or correct it before it is counted.
SETTLES_AFTER = timedelta(hours=24)


class CanaryTrial:
    """Says which version a thread gets, and ends a canary as soon as there is proof."""

    def __init__(
        self,
        database: Database,
        share: float,
        rules: CanaryRules | None = None,
        settles_after: timedelta = SETTLES_AFTER,
    ) -> None:
        """Take the settings.

        Args:
            database: The truth.
            share: Share of threads that a challenger gets; 0 turns canaries off.
            rules: When one ends.
            settles_after: How long people have to say what they think of a thread.
        """
        self._database = database
        self._share = share
        self._rules = rules or CanaryRules()
        self._settles_after = settles_after

    @property
    def is_on(self) -> bool:
        """Whether versions that have passed the gate are tried before they are promoted."""
        return self._share > 0

    def begin(self, version_id: int, actor: str) -> bool:
        """Try a version that has passed the gate; False if one is being tried already."""
        try:
            with self._database.write() as session:
                canary = canaries.begin(session, version_id, self._share, actor)
        except CanaryRefused as refused:
            log.warning("no canary version_id=%d: %s", version_id, refused)
            return False
        log.info("canary began id=%d version=%s", canary.id, canary.version.name)
        return True

    def version_for(self, thread: str) -> Version | None:
        """Return the challenger if this thread is its, or None for the champion.

        Args:
            thread: `team/channel/thread`, as `thread_key` writes it.
        """
        with self._database.read() as session:
            if canaries.running(session) is None:
                return None
        with self._database.write() as session:
            canary = canaries.running(session)
            if canary is None or not canaries.assign(session, canary, _thread(thread)):
                return None
            return canary.version

    def state(self) -> CanaryState | None:
        """Return how the running canary stands; None without one."""
        with self._database.read() as session:
            canary = canaries.running(session)
            if canary is None:
                return None
            seen = canaries.outcomes(session, canary, self._settles_after)
        return judge(seen.champion, seen.challenger, canary.share, self._rules)

    def look(self) -> Literal["promoted", "withdrawn"] | None:
        """End the canary if there is proof, in one transaction with the promotion.

        It may be called as often as one likes. Returns how the canary ended, if it did now.
        """
        with self._database.read() as session:
            if canaries.running(session) is None:
                return None
        try:
            with self._database.write() as session:
                return self._decide(session)
        except PromotionRefused as refused:
            log.warning("canary's version not promoted: %s", refused)
            return None

    def _decide(self, session: Session) -> Literal["promoted", "withdrawn"] | None:
        canary = canaries.running(session)
        if canary is None:
            return None
        serving = versions.serving(session)
        if serving.version.id != canary.champion.id:
            reason = f"{serving.version.name} answers now; it was tried against another."
            canaries.end(session, canary, "withdrawn", reason)
            return "withdrawn"
        seen = canaries.outcomes(session, canary, self._settles_after)
        state = judge(seen.champion, seen.challenger, canary.share, self._rules)
        if state.verdict == "go on":
            return None
        if state.verdict == "withdraw":
            canaries.end(session, canary, "withdrawn", state.reason())
            return "withdrawn"
        canaries.end(session, canary, "promoted", state.reason())
        versions.promote(
            session,
            canary.version.id,
            expected_revision=serving.revision,
            actor="canary",
            reason=state.reason(),
        )
        return "promoted"


def thread_key(team_id: str, channel: str, thread_ts: str) -> str:
    """Return how a thread is named to `Answering.answer`."""
    return f"{team_id}/{channel}/{thread_ts}"


def _thread(key: str) -> Thread:
    team_id, channel, thread_ts = key.split("/", 2)
    return Thread(team_id, channel, thread_ts)
