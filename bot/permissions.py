"""Who may do what. Every entry point asks here, with the id that Slack vouches for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from bot.settings import People, Route
from bot.teams import id_in, team_in
from bot.told import Told

Action = Literal[
    "ask",
    "vote",
    "share an answer",
    "ask an expert",
    "stop an answer",
    "open the home tab",
    "propose a correction",
    "approve a correction",
    "see training",
    "retrain",
    "cancel a run",
    "promote a version",
    "roll back",
    "change the schedule",
    "change a channel's settings",
    "export pairs",
    "leave a workspace",
]

Role = Literal["outsider", "anyone", "expert", "admin"]

#: Who is needed for what. `outsider` includes guests and people of other companies.
NEEDS: dict[Action, Role] = {
    "ask": "outsider",
    "vote": "outsider",
    "stop an answer": "outsider",
    "open the home tab": "outsider",
    "leave a workspace": "outsider",
    "share an answer": "anyone",
    "ask an expert": "anyone",
    "propose a correction": "anyone",
    "approve a correction": "expert",
    "see training": "admin",
    "retrain": "admin",
    "cancel a run": "admin",
    "promote a version": "admin",
    "roll back": "admin",
    "change the schedule": "admin",
    "change a channel's settings": "admin",
    "export pairs": "admin",
}


class NotAllowed(Told):
    """The person may not do this; the message says who may."""


class Permissions:
    """Decides from the settings. Admins may do whatever experts may.

    The settings name people by their ids, or groups of them by the ids of Slack's user groups;
    those of another workspace than the home one as `bot.teams` does, with its id before them.
    """

    def __init__(self, people: People) -> None:
        """Take the ids of experts and admins."""
        self._people = people
        self._members_of: Callable[[str], frozenset[str]] = lambda _group: frozenset()

    def ask_groups_of(self, members_of: Callable[[str], frozenset[str]]) -> None:
        """Take what says who is in a user group; until then groups are empty."""
        self._members_of = members_of

    @property
    def admins(self) -> tuple[str, ...]:
        """The ids of the home workspace's admins, in a stable order."""
        return self.admins_in("")

    @property
    def experts(self) -> tuple[str, ...]:
        """The ids of the home workspace's experts, in a stable order."""
        return self.experts_in("")

    def admins_in(self, team: str) -> tuple[str, ...]:
        """Return what Slack calls the admins in a workspace (empty: the home one)."""
        return self._expanded(self._people.admins, team)

    def experts_in(self, team: str) -> tuple[str, ...]:
        """Return what Slack calls the experts in a workspace (empty: the home one)."""
        return self._expanded(self._people.experts, team)

    def is_admin(self, user_id: str) -> bool:
        """Whether this person is an admin."""
        return self._includes(self._people.admins, user_id)

    def is_expert(self, user_id: str) -> bool:
        """Whether this person's corrections count at once."""
        return self._includes(self._people.experts, user_id) or self.is_admin(user_id)

    def may(self, user_id: str, action: Action, *, is_outsider: bool = False) -> bool:
        """Whether this person may do this."""
        needed = NEEDS[action]
        if needed == "outsider":
            return True
        if needed == "anyone":
            return not is_outsider or self.is_expert(user_id)
        return self.is_admin(user_id) if needed == "admin" else self.is_expert(user_id)

    def require(self, user_id: str, action: Action, *, is_outsider: bool = False) -> None:
        """Raise `NotAllowed` unless this person may do this."""
        if self.may(user_id, action, is_outsider=is_outsider):
            return
        needed = NEEDS[action]
        if needed == "admin":
            admins = self.admins_in(team_in(user_id))
            names = ", ".join(f"<@{admin}>" for admin in admins) or "–"
            raise NotAllowed("Only admins may do this. Admins are: {names}.", names=names)
        if needed == "expert":
            raise NotAllowed(
                "Only experts may do this. An admin can add you to them in the settings."
            )
        raise NotAllowed("Guests can ask and vote; this is for colleagues.")

    def routed(self, channel: str, text: str) -> tuple[str, ...]:
        """Return whom to ask what the documents do not hold, by where and what was asked.

        They are called what Slack calls them in the workspace of that channel; nobody of another
        one is asked.

        The first route that fits decides: one names channels, words of the question, or both.
        Without one it is all experts, and without those the admins.
        """
        team = team_in(channel)
        for route in self._people.routes:
            if _fits(route, channel, text) and (people := self._expanded(route.experts, team)):
                return people
        return self.experts_in(team) or self.admins_in(team)

    def _includes(self, named: Iterable[str], user_id: str) -> bool:
        return user_id in named or any(
            id_in(user_id) in self._members_of(one)
            for one in named
            if _is_group(one) and team_in(one) == team_in(user_id)
        )

    def _expanded(self, named: Iterable[str], team: str) -> tuple[str, ...]:
        people: set[str] = set()
        for one in named:
            if team_in(one) == team:
                people |= self._members_of(one) if _is_group(one) else {id_in(one)}
        return tuple(sorted(people))


def _is_group(name: str) -> bool:
    return id_in(name).startswith("S")


def _fits(route: Route, channel: str, text: str) -> bool:
    words = text.casefold()
    is_place = not route.channels or channel in route.channels
    is_topic = not route.topics or any(topic.casefold() in words for topic in route.topics)
    return is_place and is_topic
