from __future__ import annotations

import pytest

from knowledge.abstaining import FEATURES, Calibration, calibration, figures_of
from knowledge.evidence import Witness, weigh
from knowledge.keyword_index import Frequencies

COUNTS = Frequencies(1_000, {"holiday": 20, "day": 300, "carry": 15})


def test_the_more_precision_is_wished_for_the_fewer_questions_are_tried() -> None:
    fitted = calibration()
    thresholds = [fitted.threshold(wish) for wish in (0.7, 0.8, 0.9, 0.95)]
    assert thresholds == sorted(thresholds)
    assert 0 < thresholds[0] < thresholds[-1] <= 1


def test_a_threshold_between_two_steps_is_interpolated_and_bounded() -> None:
    steps = ((0.8, 0.4, 0.9), (0.9, 0.6, 0.7))
    fitted = Calibration((), (), (), 0.0, steps)
    assert fitted.threshold(0.85) == pytest.approx(0.5)
    assert fitted.threshold(0.1) == 0.4
    assert fitted.threshold(0.999) == 0.6


def test_a_passage_near_in_meaning_with_all_the_words_is_tried_and_a_far_one_is_not() -> None:
    asked = {"holiday", "day", "carry"}
    near = weigh(asked, [Witness(0.75, asked), Witness(0.4, {"day"})], COUNTS, answer=0.8)
    far = weigh(asked, [Witness(0.15, {"day"}), Witness(0.1, set())], COUNTS, answer=0.1)
    assert near.is_answerable
    assert not far.is_answerable
    assert near.probability > 0.9
    assert far.probability < 0.5


def test_more_similarity_or_more_words_never_lower_the_probability() -> None:
    asked = {"holiday", "day", "carry"}
    for similarity in (0.1, 0.3, 0.5, 0.7):
        few = weigh(asked, [Witness(similarity, {"day"})], COUNTS).probability
        many = weigh(asked, [Witness(similarity, asked)], COUNTS).probability
        nearer = weigh(asked, [Witness(similarity + 0.1, {"day"})], COUNTS).probability
        assert few < many
        assert few < nearer


def test_a_wish_for_more_precision_refuses_what_a_lesser_one_tries() -> None:
    asked = {"holiday", "day", "carry"}
    witnesses = [Witness(0.45, {"holiday", "day"})]
    probability = weigh(asked, witnesses, COUNTS, answer=0.45).probability
    wishes = [
        weigh(asked, witnesses, COUNTS, wish, answer=0.45).is_answerable for wish in (0.0, 1.0)
    ]
    assert calibration().threshold(0.0) < probability < calibration().threshold(1.0)
    assert wishes == [True, False]


def test_nothing_found_is_never_answerable_whatever_is_wished() -> None:
    evidence = weigh({"holiday"}, [], COUNTS, precision=0.0)
    assert (evidence.probability, evidence.is_answerable) == (0.0, False)
    assert dict(evidence.figures) == dict.fromkeys(FEATURES, 0.0)


def test_the_figures_are_those_of_the_strongest_passage_the_best_sentence_and_the_size() -> None:
    figures = figures_of([0.2, 0.6], [0.5, 0.5], asked=4, answer=0.7, searched=1_000)
    assert figures["strength"] == pytest.approx(1.1)
    assert figures["answer"] == 0.7
    assert figures["size"] == pytest.approx(6.908, abs=0.001)


def test_a_sentence_that_answers_well_raises_the_probability() -> None:
    asked, witnesses = {"holiday", "day"}, [Witness(0.4, {"holiday"})]
    told, untold = (weigh(asked, witnesses, COUNTS, answer=a).probability for a in (0.8, 0.2))
    assert told > untold
