"""Whose an id is, where the app is installed in several Slack workspaces.

Slack's ids of people and channels hold within one workspace. Those of the home workspace, the first
one that was met, are kept as they are; those of any other carry its id before them: `T2/U5`. So
nobody is taken for somebody else, and the settings can name people and channels of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_FAR = re.compile(r"(T[A-Z0-9]+)/(.+)", re.DOTALL)


@dataclass(frozen=True)
class Teams:
    """Tells the home workspace from the others."""

    #: The home workspace's id; empty while none was met.
    home: Callable[[], str] = lambda: ""

    def far(self, team_id: str) -> str:
        """Return a workspace's id if it is not the home one, else an empty text."""
        home = self.home()
        return team_id if team_id and home and team_id != home else ""

    def name(self, team_id: str, slack_id: str) -> str:
        """Return how somebody, or a channel, of a workspace is called here."""
        team = self.far(team_id)
        return f"{team}/{slack_id}" if team and slack_id else slack_id

    def ids_of(self, team_id: str) -> tuple[str, ...]:
        """Return the ids that mean this workspace; what has none belongs to the home one."""
        team = self.far(team_id)
        return (team,) if team else ("", self.home() or team_id)


#: Where there is only one, everything is of the home workspace.
ONE_WORKSPACE = Teams()


def team_in(name: str) -> str:
    """Return the workspace that a name carries; empty for the home one."""
    found = _FAR.fullmatch(name)
    return found.group(1) if found else ""


def id_in(name: str) -> str:
    """Return what Slack calls somebody, or a channel, in their own workspace."""
    found = _FAR.fullmatch(name)
    return found.group(2) if found else name
