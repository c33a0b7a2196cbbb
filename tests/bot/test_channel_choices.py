from __future__ import annotations

import pytest

from bot.channel_choices import ChannelChoices, ChannelUnknown
from storage import audit, workspaces
from storage.database import Database
from storage.workspaces import SlackWorkspace


@pytest.fixture
def channels(database: Database) -> ChannelChoices:
    with database.write() as session:
        for team in ("T1", "T2"):
            workspaces.remember(session, SlackWorkspace(team, team, "U1"))
    return ChannelChoices(database, "command line")


def test_a_channel_is_made_strict_and_open_again(
    database: Database, channels: ChannelChoices
) -> None:
    channels.choose("C9", True)
    channels.choose("C9", True)
    channels.choose("T2/C9", True)
    assert channels.listed() == [
        {"workspace": "T1", "channel": "C9"},
        {"workspace": "T2", "channel": "C9"},
    ]
    channels.choose("C9", False)
    assert channels.listed() == [{"workspace": "T2", "channel": "C9"}]
    with database.read() as session:
        told = [(r.actor, r.action, r.subject) for r in audit.latest(session)]
    assert told.count(("command line", "choose.strict", "channel T1/C9")) == 2


@pytest.mark.parametrize("name", ["general", "#general", "", "U123", "C1/C2", "C1 or so"])
def test_what_is_no_channels_id_is_refused(channels: ChannelChoices, name: str) -> None:
    with pytest.raises(ChannelUnknown, match="is not a channel's id"):
        channels.choose(name, True)


def test_before_any_workspace_was_met_it_must_be_named(database: Database) -> None:
    with pytest.raises(ChannelUnknown, match="has not been in a workspace"):
        ChannelChoices(database, "command line").choose("C1", True)
