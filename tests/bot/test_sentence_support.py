from __future__ import annotations

from bot.sentence_support import SentenceSupport
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground

SUPPORT = SentenceSupport(GroundingCheck(), ["God tur!"])
LEAVE = Ground("Leave > Annual leave", "Everyone gets 27 days of paid annual leave each year.")


def test_a_supported_sentence_and_an_invented_one_are_told_apart() -> None:
    answer = "Everyone gets 27 days of annual leave [1]. Managers get 40 days of annual leave [1]."
    assert SUPPORT.count(answer, [LEAVE], "How much leave?") == (2, 1)


def test_greetings_claim_nothing() -> None:
    answer = "Hei! Everyone gets 27 days of annual leave [1]. God tur!"
    assert SUPPORT.count(answer, [LEAVE], "How much leave?") == (1, 0)
    assert SUPPORT.count("Hei! God tur!", [LEAVE], "How much leave?") == (0, 0)


def test_without_passages_every_claim_is_unsupported() -> None:
    assert SUPPORT.count("You get 27 days. You get a car.", [], "What do I get?") == (2, 2)
