from __future__ import annotations

from bot.audiences import Audiences
from bot.settings import AudienceSettings

MAPPING = {
    "people team": AudienceSettings(channels=("C1", "C2")),
    "public": AudienceSettings(outsiders=True),
}


def test_a_place_opens_what_is_everyone_s_its_own_and_what_is_mapped_to_it() -> None:
    audiences = Audiences(MAPPING)
    assert audiences.of("C1", with_outsiders=False) == {"everyone", "C1", "people team"}
    assert audiences.of("C9", with_outsiders=False) == {"everyone", "C9"}


def test_with_outsiders_only_what_is_marked_for_them_is_opened() -> None:
    audiences = Audiences(MAPPING)
    assert audiences.of("C1", with_outsiders=True) == {"public"}
    assert Audiences({}).of("C1", with_outsiders=True) == frozenset()
    everyone = {"everyone": AudienceSettings(outsiders=True)}
    assert Audiences(everyone).of("C1", with_outsiders=True) == {"everyone"}


def test_a_channel_of_another_workspace_with_the_same_id_is_another_audience() -> None:
    board = {"board": AudienceSettings(channels=("C1",))}
    audiences = Audiences(board, lambda: "T1")
    assert audiences.of("C1", with_outsiders=False, team_id="T1") == {"everyone", "C1", "board"}
    assert audiences.of("C1", with_outsiders=False, team_id="T2") == {"T2", "T2/C1"}
    far = Audiences({"board": AudienceSettings(channels=("T2/C1",))}, lambda: "T1")
    assert far.of("C1", with_outsiders=False, team_id="T2") == {"T2", "T2/C1", "board"}
    assert far.of_pairs("C1", is_private=False, team_id="T2") == "T2"
    assert far.of_pairs("C1", is_private=True, team_id="T2") == "T2/C1"
    assert far.of_pairs("C1", is_private=False, team_id="T1") == "everyone"
