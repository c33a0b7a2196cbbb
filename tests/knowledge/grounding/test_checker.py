from __future__ import annotations

import pytest

from knowledge.embedder import MiniLmEmbedder
from knowledge.grounding.checker import GroundingCheck, Support
from knowledge.grounding.reading import Ground

LEAVE = Ground(
    "Leave > Holiday",
    "Everyone gets 25 days of paid holiday a year. From the year you turn 60 you get 5 days more. "
    "You can move up to 14 days to the next year. Ask your manager before 15 May.",
)
OFFICE = Ground(
    "Offices > Bergen",
    "Dogs are not allowed in the Bergen office. Visitors sign in with Hedda Lien at the desk. "
    "The doors open at 08:00. Lunch costs 35 kroner and is paid through Tindra.",
)
FERIE = Ground(
    "Ferie",
    "Alle får 25 feriedager med lønn hvert år. Du kan overføre inntil 14 dager til neste år. "
    "Hunder er ikke tillatt på kontoret. Spør Maja Tveit før 15. mai.",
)


@pytest.fixture(scope="module")
def check(embedder: MiniLmEmbedder) -> GroundingCheck:
    return GroundingCheck(embedder)


def support(check: GroundingCheck, sentence: str) -> Support:
    return check.support(sentence, [LEAVE, OFFICE, FERIE])


@pytest.mark.parametrize(
    "sentence",
    [
        "Everyone gets 25 days of paid holiday a year.",
        "You get 25 days of paid holiday every year [1].",
        "You can move fourteen days to next year.",
        "Lunch is NOK 35, paid through Tindra.",
        "Dogs aren't allowed in the Bergen office.",
        "The doors open at 8am.",
        "Alle får 25 feriedager med lønn hvert år.",
        "Du får 25 feriedager med lønn i året.",
        "Hunder er ikke tillatt på kontoret.",
    ],
)
def test_what_a_passage_says_is_supported_also_in_other_words(
    check: GroundingCheck, sentence: str
) -> None:
    assert support(check, sentence).is_supported


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Everyone gets 52 days of paid holiday a year.", "52"),
        ("Everyone gets 14 days of paid holiday a year.", "14"),
        ("Everyone gets 25 weeks of paid holiday a year.", "weeks"),
        ("Dogs are allowed in the Bergen office.", "not"),
        ("Dogs are not allowed in the Tromsø office.", "Tromsø"),
        ("Visitors sign in with Maja Tveit at the desk.", "Maja"),
        ("Ask your manager after 15 May.", "after"),
        ("Ask your manager before 15 June.", "June"),
        ("The doors open at 09:00.", "09:00"),
        ("Alle får 52 feriedager med lønn hvert år.", "52"),
        ("Hunder er tillatt på kontoret.", "ikke"),
        ("Spør Maja Tveit før 15. juni.", "juni"),
        ("Every employee may borrow a company boat in summer.", "no passage says this"),
    ],
)
def test_what_no_passage_says_is_not_and_the_reason_names_it(
    check: GroundingCheck, sentence: str, reason: str
) -> None:
    found = support(check, sentence)
    assert not found.is_supported
    assert any(reason in each for each in found.reasons), found.reasons


def test_the_passage_and_the_sentence_that_say_it_are_named(check: GroundingCheck) -> None:
    found = support(check, "Dogs may not come into the Bergen office.")
    assert (found.passage, found.sentence) == (1, "Dogs are not allowed in the Bergen office.")


def test_without_passages_nothing_is_supported(check: GroundingCheck) -> None:
    found = check.support("Everyone gets 25 days.", [])
    assert not found.is_supported
    assert found.passage is None


def test_a_number_that_only_the_question_has_proves_nothing(check: GroundingCheck) -> None:
    opened = check.read([LEAVE], "Do I get 40 days of paid holiday?")
    assert not opened.support("You get 40 days of paid holiday a year.").is_supported
    assert opened.support("You get 25 days of paid holiday a year.").is_supported


def test_a_stricter_wish_gives_a_higher_threshold(embedder: MiniLmEmbedder) -> None:
    thresholds = [GroundingCheck(embedder, caught=each).threshold for each in (0.8, 0.93, 0.99)]
    assert thresholds == sorted(thresholds)
    assert len(set(thresholds)) == 3


def test_it_works_without_an_embedder_and_with_one_it_was_not_fitted_with() -> None:
    class Stranger:
        name = "stranger"

        def embed_passages(self, texts: object) -> object:
            raise AssertionError("an embedder that the model does not know is never asked")

    for check in (GroundingCheck(), GroundingCheck(Stranger())):  # type: ignore[arg-type]
        assert support(check, "Everyone gets 25 days of paid holiday a year.").is_supported
        assert not support(check, "Everyone gets 52 days of paid holiday a year.").is_supported


@pytest.mark.parametrize("sentence", ["", "…", "[1]", "🎉", "a" * 5_000, "25 " * 400, "\ud800"])
def test_awkward_sentences_get_a_probability(check: GroundingCheck, sentence: str) -> None:
    assert 0 <= support(check, sentence).probability <= 1
