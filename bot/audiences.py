"""Who may see what, by where a question is asked and who asks it.

An audience is a name; documents are read in for one, and lie in collections of their own. What is
asked in a place opens the audiences returned here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.settings import AudienceSettings
from bot.teams import Teams

#: Every colleague, in every place that is not shared with outsiders.
EVERYONE = "everyone"


class Audiences:
    """Decides from the settings which audiences a question may draw on."""

    def __init__(
        self,
        mapping: Mapping[str, AudienceSettings],
        home_team: Callable[[], str] = lambda: "",
    ) -> None:
        """Take the settings' mapping of audiences to places, and what names the home workspace.

        `everyone` are the colleagues in that workspace. Of another workspace in which the app is
        installed everyone is an audience of that workspace's id, and a channel's own documents are
        an audience of both ids, such as `T2/C9`.
        """
        self._mapping = dict(mapping)
        self._teams = Teams(home_team)

    def everyone_in(self, team_id: str) -> str:
        """Return the audience that all colleagues of a workspace are."""
        return self._teams.far(team_id) or EVERYONE

    def of_pairs(self, channel: str, *, is_private: bool, team_id: str = "") -> str:
        """Return who may see what was said in a channel: its members, or every colleague."""
        return self._teams.name(team_id, channel) if is_private else self.everyone_in(team_id)

    def of(
        self,
        channel: str,
        *,
        with_outsiders: bool,
        is_private: bool = True,
        team_id: str = "",
    ) -> frozenset[str]:
        """Return the audiences of a place.

        Args:
            channel: The channel's id; its own documents are an audience of that name.
            is_private: Whether only its members can read there. Where everyone can, only what is
                for everyone may be said.
            with_outsiders: Whether guests, or people of another company, ask or read along. They
                get only what is marked for them.
            team_id: The workspace, if there are several.
        """
        everyone = self.everyone_in(team_id)
        if with_outsiders:
            if everyone != EVERYONE:
                return frozenset()
            return frozenset(name for name, audience in self._mapping.items() if audience.outsiders)
        if not is_private:
            return frozenset({everyone})
        place = self._teams.name(team_id, channel)
        mapped = {name for name, audience in self._mapping.items() if place in audience.channels}
        return frozenset({everyone, place} | mapped)
