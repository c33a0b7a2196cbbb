"""Who somebody is: which language their Slack has, and whether they are one of us."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.words import Words, words, words_for

log = logging.getLogger(__name__)

#: How long it is remembered who somebody is, in seconds.
REMEMBERED = 600.0

#: Who is not found is an outsider.
_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


@dataclass(frozen=True)
class Somebody:
    """What Slack says of a person."""

    is_outsider: bool
    locale: str = ""


class People:
    """Asks Slack who somebody is, and remembers it for a while."""

    def __init__(self, calls: SlackCalls) -> None:
        """Take Slack."""
        self._calls = calls
        self._known: dict[tuple[str, str], tuple[float, Somebody]] = {}
        self._lock = threading.Lock()

    def who(self, user_id: str, team_id: str = "") -> Somebody:
        """Return who somebody is, in the workspace `team_id`.

        Raises:
            SlackBusy, SlackRefused, SlackUncertain: it cannot be found out now; whoever asks must
                not go on as if it were a colleague.
        """
        with self._lock:
            known = self._known.get((self._calls.team_id, user_id))
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        try:
            user = self._calls.call("users_info", user=user_id, include_locale=True)["user"]
        except SlackRefused as refused:
            if refused.code not in _UNKNOWN:
                raise
            user = {"is_stranger": True}
        found = Somebody(
            is_outsider=(
                bool(user.get("is_restricted"))
                or bool(user.get("is_ultra_restricted"))
                or bool(user.get("is_stranger"))
                or bool(team_id and user.get("team_id", team_id) != team_id)
            ),
            locale=str(user.get("locale") or ""),
        )
        with self._lock:
            self._known[self._calls.team_id, user_id] = (time.monotonic() + REMEMBERED, found)
        return found

    def words(self, user_id: str) -> Words:
        """Return the language of somebody's Slack; English while Slack cannot say."""
        try:
            return words_for(self.who(user_id).locale)
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.debug("language not known user=%s: %s", user_id, error)
            return words()

    def words_at_hand(self, user_id: str) -> Words:
        """Return the language of somebody's Slack without asking; English if it is not known."""
        with self._lock:
            known = self._known.get((self._calls.team_id, user_id))
        return words_for(known[1].locale) if known is not None else words()
