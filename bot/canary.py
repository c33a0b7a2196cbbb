"""A canary: the challenger answers a share of the threads until people's votes have decided."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from bot.lessons import owe_lessons
from storage import canaries, versions
from storage.canaries import Canary, CanaryRefused, Opinions, Thread
from storage.database import Database
from storage.versions import PromotionRefused, Version
from training.canary import CanaryRules, CanaryState, judge

log = logging.getLogger(__name__)

#: How long people have to vote on a thread or correct it before it is counted.
SETTLES_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class TrialStanding:
    """How a trial stands, for people.

    Attributes:
        canary: The trial.
        champion: What people have said of the champion's answers so far.
        challenger: The same of the challenger's.
        state: What the test says of the threads that are settled.
        needed: The evidence, to 1 against chance, at which it ends by itself.
    """

    canary: Canary
    champion: Opinions
    challenger: Opinions
    state: CanaryState
    needed: float

    def lines(self) -> list[str]:
        """Return it in sentences, in English."""
        name, champion = self.canary.version.name, self.canary.champion.name
        return [
            f"On trial: {name}, on {self.canary.share:.0%} of the threads since "
            f"{self.canary.started_at:%d %B %Y, %H:%M} UTC.",
            *(
                f"  {who}: {seen.threads} threads, {seen.votes_up} votes up, {seen.votes_down} "
                f"down, {seen.corrections} corrections"
                for who, seen in ((champion, self.champion), (name, self.challenger))
            ),
            f"  The test: {self.state.reason()} Evidence that it is better {self.state.better:.1f} "
            f"to 1, that it is worse {self.state.worse:.1f} to 1; {self.needed:.0f} to 1 ends the "
            "trial.",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "version": self.canary.version.name,
            "champion": self.canary.champion.name,
            "share": self.canary.share,
            "since": self.canary.started_at.isoformat(timespec="seconds"),
            "seen": {"champion": asdict(self.champion), "challenger": asdict(self.challenger)},
            "settled": {
                who: {"threads": threads, "bad": bad}
                for who, (bad, threads) in (
                    ("champion", self.state.champion),
                    ("challenger", self.state.challenger),
                )
            },
            "evidence": {
                "better": self.state.better,
                "worse": self.state.worse,
                "needed": self.needed,
            },
            "verdict": self.state.verdict,
            "lines": self.lines(),
        }


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

    def standing(self) -> TrialStanding | None:
        """Return how the trial that goes on stands; None without one. It changes nothing."""
        with self._database.read() as session:
            canary = canaries.running(session)
            if canary is None:
                return None
            seen = canaries.outcomes(session, canary, self._settles_after)
            champion, challenger = canaries.opinions(session, canary)
        return TrialStanding(
            canary=canary,
            champion=champion,
            challenger=challenger,
            state=judge(seen.champion, seen.challenger, canary.share, self._rules),
            needed=1 / self._rules.level,
        )

    def withdraw(self, actor: str, reason: str) -> Version | None:
        """End the trial that goes on, its version withdrawn; returns it, None without one.

        From now on every thread gets the champion, those that the version had answered too.
        """
        with self._database.write() as session:
            canary = canaries.running(session)
            if canary is None or not canaries.end(session, canary, "withdrawn", reason, actor):
                return None
            return canary.version

    def end_overtaken(self, session: Session) -> bool:
        """End the trial if another champion answers than the one it was begun against.

        Args:
            session: The transaction in which the champion may have changed.

        Returns:
            Whether it ended now.
        """
        canary, serving = canaries.running(session), versions.serving(session)
        if canary is None or serving.version.id == canary.champion.id:
            return False
        reason = f"{serving.version.name} answers now; it was tried against another."
        return canaries.end(session, canary, "withdrawn", reason)

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
        serving = versions.hold_serving(session)
        canary = canaries.running(session)
        if canary is None:
            return None
        if self.end_overtaken(session):
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
        owe_lessons(session, canary.version.id)
        return "promoted"


def thread_key(team_id: str, channel: str, thread_ts: str) -> str:
    """Return how a thread is named to `Answering.answer`."""
    return f"{team_id}/{channel}/{thread_ts}"


def _thread(key: str) -> Thread:
    team_id, channel, thread_ts = key.split("/", 2)
    return Thread(team_id, channel, thread_ts)
