from __future__ import annotations

from bot.sentence_support import SentenceSupport, SupportCount
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground

SUPPORT = SentenceSupport(GroundingCheck(), GroundingCheck(), ["God tur!"])
LEAVE = Ground("Leave > Annual leave", "Everyone gets 27 days of paid annual leave each year.")


def test_a_supported_sentence_and_an_invented_one_are_told_apart() -> None:
    answer = "Everyone gets 27 days of annual leave [1]. Managers get 40 days of annual leave [1]."
    assert SUPPORT.count(answer, [LEAVE], "How much leave?") == SupportCount(2, 1, 1)


def test_greetings_claim_nothing() -> None:
    answer = "Hei! Everyone gets 27 days of annual leave [1]. God tur!"
    assert SUPPORT.count(answer, [LEAVE], "How much leave?") == SupportCount(1, 0, 0)
    assert SUPPORT.count("Hei! God tur!", [LEAVE], "How much leave?") == SupportCount(0, 0, 0)


def test_without_passages_every_claim_is_unsupported() -> None:
    assert SUPPORT.count("You get 27 days. You get a car.", [], "What do I get?") == SupportCount(
        2, 2, 2
    )


def test_words_quoted_as_they_stand_are_supported_whatever_leads_up_to_them() -> None:
    words = "Everyone gets 27 days of paid annual leave each year."
    quoted = f"I can't say it better than the page itself: “{words}” [1]"
    assert SUPPORT.count(quoted, [LEAVE], "How much leave?") == SupportCount(1, 0, 0)
    altered = quoted.replace("27", "37")
    assert SUPPORT.count(altered, [LEAVE], "How much leave?").unsupported == 1
    two = f"{quoted} Managers get 40 days of annual leave [1]."
    assert SUPPORT.count(two, [LEAVE], "How much leave?") == SupportCount(2, 1, 1)


def test_what_one_check_lets_through_the_second_may_doubt() -> None:
    lenient, strict = GroundingCheck(caught=0.5), GroundingCheck(caught=0.99)
    found = SentenceSupport(lenient, strict).count(
        "Staff have 27 vacation days [1].", [LEAVE], "How much leave?"
    )
    assert found == SupportCount(1, 0, 1)
