"""Who is in a Slack user group: the settings may name groups instead of people."""

from __future__ import annotations

import logging
import threading
import time

from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.teams import ONE_WORKSPACE, Teams, id_in, team_in

log = logging.getLogger(__name__)

#: How long it is remembered who is in a group, in seconds; who leaves it may do so much longer.
REMEMBERED = 60.0

#: How long the last answer still holds when Slack gives none, in seconds.
STALE = 900.0


class UserGroups:
    """Asks Slack for the members of user groups. When it cannot say, a group is empty."""

    def __init__(self, calls: SlackCalls, teams: Teams = ONE_WORKSPACE) -> None:
        """Take Slack, and which workspace is the home one: its groups have bare ids."""
        self._calls = calls
        self._teams = teams
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def members_of(self, group: str) -> frozenset[str]:
        """Return the ids of who is in a group."""
        now = time.monotonic()
        with self._lock:
            asked_at, members = self._known.get(group, (-STALE, frozenset()))
        if now < asked_at + REMEMBERED:
            return members
        try:
            # A group is asked for in its own workspace, whoever's question it is about.
            with self._calls.acting_for(team_in(group) or self._teams.home()):
                told = self._calls.call("usergroups_users_list", usergroup=id_in(group))
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.warning("members of a group not known group=%s: %s", group, error)
            return members if now < asked_at + STALE else frozenset()
        members = frozenset(str(user) for user in told.get("users") or ())
        with self._lock:
            self._known[group] = (now, members)
        return members
