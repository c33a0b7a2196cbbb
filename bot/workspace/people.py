"""Who works in the default workspace, and in which channels they talk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PersonPlan:
    """Somebody who works here. `role` is shown beside the name."""

    name: str
    role: str = "employee"
    is_admin: bool = False
    locale: str = "en-US"


@dataclass(frozen=True)
class ChannelPlan:
    """A channel. Everybody is in it unless `members` names who is; the app always is."""

    name: str
    is_private: bool = False
    members: tuple[str, ...] | None = None
    purpose: str = ""
    is_shared: bool = False


DEFAULT_PEOPLE = (
    PersonPlan("Kari"),
    PersonPlan("Tom"),
    PersonPlan("Ingrid", "expert"),
    PersonPlan("Sindre", "admin", is_admin=True),
)

DEFAULT_CHANNELS = (
    ChannelPlan("general", purpose="Everyone, about everything"),
    ChannelPlan("ask-fjellro", purpose="Questions and answers about how we work"),
    ChannelPlan("people", purpose="People and culture"),
    ChannelPlan("board", is_private=True, members=("Ingrid", "Sindre"), purpose="The board"),
)
