"""Who may do what. Every entry point asks here, with the id that Slack vouches for."""

from __future__ import annotations

from typing import Literal

from bot.settings import People

Action = Literal[
    "ask",
    "vote",
    "propose a correction",
    "approve a correction",
    "see training",
    "retrain",
    "roll back",
]

_NEEDS: dict[Action, Literal["anyone", "expert", "admin"]] = {
    "ask": "anyone",
    "vote": "anyone",
    "propose a correction": "anyone",
    "approve a correction": "expert",
    "see training": "admin",
    "retrain": "admin",
    "roll back": "admin",
}


class NotAllowed(Exception):
    """The person may not do this; the message says who may."""


class Permissions:
    """Decides from the settings. Admins may do whatever experts may."""

    def __init__(self, people: People) -> None:
        """Take the ids of experts and admins."""
        self._admins = frozenset(people.admins)
        self._experts = frozenset(people.experts)

    @property
    def admins(self) -> tuple[str, ...]:
        """The ids of the admins, in a stable order."""
        return tuple(sorted(self._admins))

    def is_admin(self, user_id: str) -> bool:
        """Whether this person is an admin."""
        return user_id in self._admins

    def is_expert(self, user_id: str) -> bool:
        """Whether this person's corrections count at once."""
        return user_id in self._experts or user_id in self._admins

    def may(self, user_id: str, action: Action) -> bool:
        """Whether this person may do this."""
        needed = _NEEDS[action]
        if needed == "anyone":
            return True
        return self.is_admin(user_id) if needed == "admin" else self.is_expert(user_id)

    def require(self, user_id: str, action: Action) -> None:
        """Raise `NotAllowed` unless this person may do this."""
        if self.may(user_id, action):
            return
        needed = _NEEDS[action]
        if needed == "admin":
            names = ", ".join(f"<@{admin}>" for admin in self.admins) or "nobody yet"
            who = f"Only admins may {action}. Admins are: {names}."
        else:
            who = f"Only experts may {action}. An admin can add you to them in the settings."
        raise NotAllowed(who)
