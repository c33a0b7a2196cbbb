from __future__ import annotations

import pytest

from training.evaluation.intervals import ratio_interval


def test_a_ratio_is_of_all_sentences_not_a_mean_of_answers() -> None:
    found = ratio_interval([1, 0, 0], [1, 4, 5])
    assert found.mean == pytest.approx(0.1)
    assert found.count == 10
    assert 0.0 == found.low < found.mean < found.high <= 1.0


def test_answers_that_say_nothing_give_no_ratio() -> None:
    assert ratio_interval([0, 0], [0, 0]).count == 0
    assert ratio_interval([], []).count == 0


def test_sentences_of_one_answer_count_together() -> None:
    # The same sentences in few answers tell less than in many.
    few, many = ratio_interval([10, 0], [10, 10]), ratio_interval([1, 0] * 10, [1, 1] * 10)
    assert few.mean == many.mean
    assert few.high - few.low > many.high - many.low
