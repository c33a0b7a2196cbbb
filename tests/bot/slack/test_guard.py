"""Nobody gets past the guard: every listener is behind it, and it asks who Slack says it is."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from bot.demo.stage import MANIFEST
from bot.permissions import NEEDS, Action, NotAllowed, Permissions
from bot.settings import People, Route
from bot.slack.inbox import HEARD
from storage import pairs
from storage.pairs import NewPair
from tests.bot.slack.conftest import Bot


def _listeners(bot: Bot) -> list[Any]:
    side: Any = bot.skredder._slack
    return list(side.app._listeners)


def test_every_listener_is_behind_the_guard(bot: Bot) -> None:
    listeners = _listeners(bot)
    assert len(listeners) > 25
    for listener in listeners:
        assert getattr(listener.ack_function, "guarded_by", None) in NEEDS, listener.ack_function
        assert not listener.lazy_functions, "a lazy listener would go around the guard"


def test_the_only_way_in_beside_the_listeners_is_the_inbox(bot: Bot) -> None:
    from bot.slack.inbox import Inbox

    side: Any = bot.skredder._slack
    ours = [m for m in side.app._middleware_list if type(m).__module__.startswith("bot.")]
    wrapped = [getattr(m, "func", None) for m in side.app._middleware_list]
    assert [type(f) for f in [*ours, *wrapped] if type(f).__module__.startswith("bot.")] == [Inbox]


def test_every_event_in_the_manifest_is_heard_for_an_action(bot: Bot) -> None:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert {event.partition(".")[0] for event in subscribed} == set(HEARD)


def test_every_action_has_a_rule() -> None:
    assert set(NEEDS) == set(get_args(Action))


ADMINS = {
    "see training",
    "retrain",
    "cancel a run",
    "promote a version",
    "roll back",
    "change the schedule",
    "change a channel's settings",
    "export pairs",
}


@pytest.mark.parametrize("action", sorted(NEEDS))
def test_who_may_do_what(action: Action) -> None:
    permissions = Permissions(People(admins=("UA", "SADMINS"), experts=("UE",)))
    permissions.ask_groups_of(
        lambda group: frozenset({"UG"}) if group == "SADMINS" else frozenset()
    )
    allowed = {
        who
        for who, is_outsider in (("UA", 0), ("UG", 0), ("UE", 0), ("UX", 0), ("UGUEST", 1))
        if permissions.may(who, action, is_outsider=bool(is_outsider))
    }
    if action in ADMINS:
        assert allowed == {"UA", "UG"}
    elif action == "approve a correction":
        assert allowed == {"UA", "UG", "UE"}
    elif action in ("share an answer", "ask an expert", "propose a correction"):
        assert allowed == {"UA", "UG", "UE", "UX"}
    else:
        assert allowed == {"UA", "UG", "UE", "UX", "UGUEST"}


def test_a_route_is_by_channel_and_by_topic() -> None:
    permissions = Permissions(
        People(
            experts=("UE",),
            routes=(
                Route(channels=("C1",), topics=("pay",), experts=("UPAY",)),
                Route(channels=("C1",), experts=("UONE",)),
            ),
        )
    )
    assert permissions.routed("C1", "When is payday?") == ("UPAY",)
    assert permissions.routed("C1", "Where is the tent?") == ("UONE",)
    assert permissions.routed("C2", "When is payday?") == ("UE",)


def test_without_admins_nobody_is_one() -> None:
    with pytest.raises(NotAllowed):
        Permissions(People()).require("U1", "retrain")


def _forge(bot: Bot, who: str, action_id: str, value: str) -> None:
    """Send a press that somebody's screen never offered, as a tampered client would."""
    body = {
        "type": "block_actions",
        "user": {"id": bot.workspace.person(who).id, "team_id": bot.workspace.team_id},
        "team": {"id": bot.workspace.team_id},
        "trigger_id": f"forged-{who}-{action_id}",
        "container": {"type": "view", "view_id": "V1"},
        "actions": [{"action_id": action_id, "type": "button", "value": value}],
    }
    assert bot.workspace.sockets.send("interactive", body).result(10).is_ok


@pytest.mark.parametrize("who", ["Tom", "Gil"])
@pytest.mark.parametrize("action_id", ["pair_approve", "pair_reject", "pair_edit"])
def test_a_forged_button_does_nothing_for_who_may_not_press_it(
    bot: Bot, who: str, action_id: str
) -> None:
    key = f"forged {who} {action_id}"
    with bot.skredder.database.write() as session:
        waiting = pairs.propose(
            session, NewPair("Forged?", "No.", author="x", origin="slack", origin_key=key)
        )
    _forge(bot, who, action_id, str(waiting.id))
    with bot.skredder.database.read() as session:
        assert pairs.get(session, waiting.id).state == "proposed"
    assert bot.workspace.views_of(who) == []


@pytest.mark.parametrize(
    "action_id", ["home_retrain", "home_roll_back", "home_export", "home_channel_settings"]
)
@pytest.mark.parametrize("who", ["Tom", "Ingrid", "Gil"])
def test_a_forged_button_of_admins_is_refused_with_a_sentence(
    bot: Bot, who: str, action_id: str
) -> None:
    person = bot.workspace.person(who)
    before = len(bot.workspace.messages(person.dm_channel))
    _forge(bot, who, action_id, "1")
    told = bot.wait(lambda: bot.workspace.messages(person.dm_channel)[before:], "the sentence")
    assert "Only admins" in told[0]["text"]
