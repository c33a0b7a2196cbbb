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
