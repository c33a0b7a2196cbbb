"""People and channels of two workspaces with the same ids are not taken for one another."""

from __future__ import annotations

import pytest

from bot.permissions import NotAllowed, Permissions
from bot.settings import People, Route
from bot.teams import ONE_WORKSPACE, Teams, id_in, team_in

TEAMS = Teams(lambda: "T1")


def test_only_those_of_another_workspace_carry_its_id() -> None:
    assert TEAMS.name("T1", "U5") == "U5"
    assert TEAMS.name("", "U5") == "U5"
    assert TEAMS.name("T2", "U5") == "T2/U5"
    assert (team_in("T2/U5"), id_in("T2/U5")) == ("T2", "U5")
    assert (team_in("Kari/Ola"), id_in("Kari/Ola")) == ("", "Kari/Ola")
    assert ONE_WORKSPACE.name("T9", "U5") == "U5"


def test_the_ids_of_one_workspace_leave_the_other_out() -> None:
    assert set(TEAMS.ids_of("T1")) == set(TEAMS.ids_of("")) == {"", "T1"}
    assert TEAMS.ids_of("T2") == ("T2",)


@pytest.fixture
def permissions() -> Permissions:
    people = People(
        admins=("U1", "T2/U2", "T2/S1"),
        experts=("U3", "S1"),
        routes=(Route(topics=("pay",), experts=("U4", "T2/U4")),),
    )
    found = Permissions(people)
    members = {"S1": frozenset({"U7"}), "T2/S1": frozenset({"U8"})}
    found.ask_groups_of(lambda group: members.get(group, frozenset()))
    return found


def test_a_role_holds_in_the_workspace_it_was_given_in(permissions: Permissions) -> None:
    assert [permissions.is_admin(who) for who in ("U1", "T2/U1", "U2", "T2/U2")] == [1, 0, 0, 1]
    assert [permissions.is_expert(who) for who in ("U3", "T2/U3")] == [1, 0]


def test_a_group_holds_in_its_own_workspace(permissions: Permissions) -> None:
    assert [permissions.is_expert(who) for who in ("U7", "T2/U7")] == [1, 0]
    assert [permissions.is_admin(who) for who in ("U8", "T2/U8")] == [0, 1]


def test_admins_are_told_only_of_their_own_workspace(permissions: Permissions) -> None:
    assert permissions.admins == ("U1",)
    assert permissions.admins_in("T2") == ("U2", "U8")
    with pytest.raises(NotAllowed) as refused:
        permissions.require("T2/U1", "retrain")
    assert "U2" in str(refused.value)
    assert "<@U1>" not in str(refused.value)


def test_nobody_of_another_workspace_is_asked(permissions: Permissions) -> None:
    assert permissions.routed("C1", "When is payday?") == ("U4",)
    assert permissions.routed("T2/C1", "When is payday?") == ("U4",)
    assert permissions.routed("C1", "Where is the tent?") == ("U3", "U7")
    assert permissions.routed("T2/C1", "Where is the tent?") == ("U2", "U8")
