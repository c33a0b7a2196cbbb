from __future__ import annotations

import pytest

from knowledge.grounding.facts import Token, number_value, read_tokens


def values(text: str, language: str = "en") -> set[str]:
    return {value for token in read_tokens(text, language) for value in token.values}


def numbers(text: str, language: str = "en") -> list[Token]:
    return [token for token in read_tokens(text, language) if token.kind == "number"]


@pytest.mark.parametrize("written", ["1 000", "1,000", "1.000", "1000", "1k", "1 thousand"])
def test_a_thousand_is_a_thousand_however_it_is_written(written: str) -> None:
    assert "n1000" in values(f"It costs {written} kroner.")


@pytest.mark.parametrize(
    ("text", "language"), [("five weeks", "en"), ("fem uker", "no"), ("5 weeks", "en")]
)
def test_five_is_five_in_words_and_in_both_languages(text: str, language: str) -> None:
    (number,) = numbers(text, language)
    assert number.values == {"n5"}
    assert number.unit == "week"


def test_a_word_that_is_a_number_in_the_other_language_only_is_none() -> None:
    assert numbers("Go to the fire exit.", "en") == []
    assert [token.values for token in numbers("Gå to og fire.", "no")] == [{"n2"}, {"n4"}]


@pytest.mark.parametrize("written", ["9am", "9 am", "09:00", "9:00 a.m."])
def test_a_time_of_day_is_one_however_it_is_written(written: str) -> None:
    assert "t540" in values(f"Doors open at {written} sharp.")


def test_an_afternoon_hour_is_the_same_in_twelve_and_twenty_four_hours() -> None:
    assert values("at 5pm") & values("at 17:00") >= {"t1020"}


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("1 May 2024", "en"),
        ("May 1, 2024", "en"),
        ("2024-05-01", "en"),
        ("1. mai 2024", "no"),
        ("1.5.2024", "no"),
    ],
)
def test_a_date_is_one_however_it_is_written(written: str, language: str) -> None:
    assert values(f"It starts on {written}.", language) >= {"m5", "n1", "n2024"}


def test_may_is_a_month_only_where_it_can_be_one() -> None:
    assert "m5" not in values("You may take 3 days. May I?")
    assert "m5" in values("Closed in May.")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("25 paid days", "day"),
        ("NOK 320", "krone"),
        ("$150", "dollar"),
        ("£2.", "pound"),
        ("15 %", "percent"),
        ("20 GB of data", "gigabyte"),
        ("12-month plan", "month"),
    ],
)
def test_a_number_knows_what_it_counts(text: str, unit: str) -> None:
    assert numbers(text)[0].unit == unit


def test_names_are_told_by_their_capitals_where_not_every_word_has_one() -> None:
    def names(text: str) -> list[str]:
        return [token.text for token in read_tokens(text, "en") if token.kind == "name"]

    assert names("Ask Hedda Lien in Bergen. They know.") == ["Hedda", "Lien", "Bergen"]
    assert names("Jonas Wiik checks accounts.") == ["Jonas", "Wiik"]
    assert names("Food is free. Dogs are not.") == []


def test_channels_addresses_and_links_are_codes() -> None:
    text = "Ask in #people or it@fjellro.example, see https://fjellro.example/a."
    codes = [token.values for token in read_tokens(text, "en") if token.kind == "code"]
    assert codes == [{"c#people"}, {"cit@fjellro.example"}, {"chttps://fjellro.example/a"}]


def test_denials_are_known_and_seeming_ones_are_not() -> None:
    def denies(text: str, language: str = "en") -> bool:
        return any(token.is_denial for token in read_tokens(text, language))

    assert denies("You don't need it.")
    assert denies("Du trenger ikke det.", "no")
    assert denies("No dogs.")
    assert not denies("No less than 5 days.")
    assert not denies("Ikke bare hunder.", "no")


def test_idle_zeros_make_no_difference() -> None:
    assert number_value("2,50") == number_value("2.5") == "2.5"
    assert number_value("007") == "7"
