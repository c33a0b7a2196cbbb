"""Who may see what, by where a question is asked and who asks it.

An audience is a name; documents are read in for one, and lie in collections of their own. What is
asked in a place opens the audiences returned here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.settings import AudienceSettings

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
        installed everyone is an audience of that workspace's id.
        """
        self._mapping = dict(mapping)
        self._home_team = home_team

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
        home = self._home_team()
        everyone = team_id if team_id and home and team_id != home else EVERYONE
        if with_outsiders:
            if everyone != EVERYONE:
                return frozenset()
            return frozenset(name for name, audience in self._mapping.items() if audience.outsiders)
        if not is_private:
            return frozenset({everyone})
        mapped = {name for name, audience in self._mapping.items() if channel in audience.channels}
        return frozenset({everyone, channel} | mapped)
