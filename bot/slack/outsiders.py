"""Who is not one of us: guests of the workspace, and people of other companies."""

from __future__ import annotations

import threading
import time

from bot.slack.calls import SlackCalls, SlackRefused

#: How long it is remembered who somebody is, in seconds.
REMEMBERED = 600.0

#: Who is not found is an outsider.
_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


class Outsiders:
    """Asks Slack who somebody is, and remembers it for a while."""

    def __init__(self, calls: SlackCalls) -> None:
        """Take Slack."""
        self._calls = calls
        self._known: dict[str, tuple[float, bool]] = {}
        self._lock = threading.Lock()

    def include(self, user_id: str, team_id: str) -> bool:
        """Whether somebody is a guest, or belongs to another company's workspace.

        Raises:
            SlackBusy, SlackRefused, SlackUncertain: it cannot be found out now; whoever asks must
                not go on as if it were a colleague.
        """
        with self._lock:
            known = self._known.get(user_id)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        try:
            user = self._calls.call("users_info", user=user_id)["user"]
        except SlackRefused as refused:
            if refused.code not in _UNKNOWN:
                raise
            user = {"is_stranger": True}
        is_outsider = (
            bool(user.get("is_restricted"))
            or bool(user.get("is_ultra_restricted"))
            or bool(user.get("is_stranger"))
            or bool(team_id and user.get("team_id", team_id) != team_id)
        )
        with self._lock:
            self._known[user_id] = (time.monotonic() + REMEMBERED, is_outsider)
        return is_outsider
