"""Founding a workspace: ids for the team, the app, the people and the channels."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.workspace.people import ChannelPlan, PersonPlan
from bot.workspace.records import Channel, User
from bot.workspace.state import State


def new_state(
    team: str, bot_name: str, people: Sequence[PersonPlan], channels: Sequence[ChannelPlan]
) -> State:
    """Return a workspace where nothing was said yet."""
    state = State(
        team_id=_id("T", 1, team),
        team_name=team,
        app_id=_id("A", 1, bot_name),
        bot_id=_id("B", 1, bot_name),
        bot_user_id=_id("U", 0, bot_name),
    )
    state.users[state.bot_user_id] = User(state.bot_user_id, bot_name, "app", is_bot=True)
    ids: dict[str, str] = {}
    for n, person in enumerate(people, 1):
        user = User(
            _id("U", n, person.name),
            person.name,
            person.role,
            is_admin=person.is_admin,
            locale=person.locale,
        )
        state.users[user.id] = user
        ids[person.name] = user.id
    for n, plan in enumerate(channels, 1):
        names = plan.members if plan.members is not None else tuple(ids)
        members = [state.bot_user_id, *(ids[name] for name in names if name in ids)]
        channel = Channel(
            _id("C", n, plan.name),
            plan.name,
            "group" if plan.is_private else "channel",
            members,
            plan.purpose,
            plan.is_shared,
        )
        state.channels[channel.id] = channel
    return state


def _id(prefix: str, number: int, name: str) -> str:
    """Return an id that looks like Slack's and can be told apart by reading it."""
    letters = re.sub(r"[^A-Z0-9]", "", name.upper())
    return f"{prefix}0{number}{letters}"[:11].ljust(9, "0")
