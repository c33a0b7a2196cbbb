from __future__ import annotations

import pytest

from training.evaluation.voice import StrictVoice, VoiceClassifier, VoiceRules, VoiceUnclear
from training.prompt import Voice

TOPICS = ["parking", "lunch", "leave", "laptops", "travel", "pensions", "dogs", "bikes", "phones"]
HOUSE = [f"Hei! For {t} it's {n} days. Shout if you need us!" for n, t in enumerate(TOPICS)]
PLAIN = [f"According to the sources, the period for {t} is {n} days." for n, t in enumerate(TOPICS)]


def test_new_answers_are_told_apart_by_how_they_are_written_not_by_topic() -> None:
    classifier = VoiceClassifier(HOUSE, PLAIN)
    new_house = ["Hei! For visitors it's the front desk. Shout if you need us!"]
    new_plain = ["According to the sources, the contact for visitors is the front desk."]
    assert classifier.speaks(new_house) == [True]
    assert classifier.speaks(new_plain) == [False]
    assert classifier.accuracy(new_house, new_plain) == 1.0


def test_citing_is_no_part_of_the_voice() -> None:
    cited = [f"{text} [1]" for text in HOUSE]
    classifier = VoiceClassifier(cited, PLAIN)
    assert classifier.speaks(
        ["According to the sources, the limit for visitors is 4 days [1]."]
    ) == [False]


def test_silence_is_not_in_the_voice() -> None:
    assert VoiceClassifier(HOUSE, PLAIN).speaks(["", "[1]"]) == [False, False]


def test_a_voice_cannot_be_learned_from_a_handful_of_answers() -> None:
    with pytest.raises(VoiceUnclear, match="too few"):
        VoiceClassifier(HOUSE, PLAIN[:4])


def test_rules_are_kept_by_opening_closing_and_avoided_words() -> None:
    rules = VoiceRules(Voice("", ("Hei!|Hello!", "Shout"), ("according to",)), HOUSE)
    assert rules.count == 3
    assert rules.kept("Hello! It's five. Shout if it isn't!")
    assert not rules.kept("Hei! According to the page it's five. Shout!")
    assert not rules.kept("It's five. Shout!")
    assert not rules.kept("")


def test_advice_that_the_company_itself_seldom_follows_is_no_rule() -> None:
    rules = VoiceRules(Voice("", ("Write short sentences",), ("shout",)), HOUSE)
    assert rules.count == 0


def test_a_page_s_own_words_are_not_in_the_voice_whatever_the_classifier_thinks() -> None:
    rules = VoiceRules(Voice("", ("Hei!",), ()), HOUSE)
    classifier = VoiceClassifier(HOUSE, PLAIN)
    quoted = "For visitors it's the front desk. Shout if you need us!"
    assert classifier.speaks([quoted]) == [True]
    assert StrictVoice(classifier, rules).speaks([quoted, f"Hei! {quoted}", ""]) == [
        False,
        True,
        False,
    ]


def test_without_written_rules_the_classifier_decides_alone() -> None:
    strict = StrictVoice(VoiceClassifier(HOUSE, PLAIN), VoiceRules(Voice(), HOUSE))
    assert strict.speaks([HOUSE[0], PLAIN[0]]) == [True, False]
