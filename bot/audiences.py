"""Who may see what, by where a question is asked and who asks it.

An audience is a name; documents are read in for one, and lie in collections of their own. What is
asked in a place opens the audiences returned here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.settings import AudienceSettings

#: Every colleague, in every place that is not shared with outsiders.
EVERYONE = "everyone"


class Audiences:
    """Decides from the settings which audiences a question may draw on."""

    def __init__(self, mapping: Mapping[str, AudienceSettings]) -> None:
        """Take the settings' mapping of audiences to the places that may use them."""
        self._mapping = dict(mapping)

    def of(self, channel: str, *, with_outsiders: bool, is_private: bool = True) -> frozenset[str]:
        """Return the audiences of a place.

        Args:
            channel: The channel's id; its own documents are an audience of that name.
            is_private: Whether only its members can read there. Where everyone can, only what is
                for everyone may be said.
            with_outsiders: Whether guests, or people of another company, ask or read along. They
                get only what is marked for them.
        """
        if with_outsiders:
            return frozenset(name for name, audience in self._mapping.items() if audience.outsiders)
        if not is_private:
            return frozenset({EVERYONE})
        mapped = {name for name, audience in self._mapping.items() if channel in audience.channels}
        return frozenset({EVERYONE, channel} | mapped)
