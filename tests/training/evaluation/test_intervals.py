from __future__ import annotations

import pytest

from training.evaluation.intervals import ratio_interval, share_interval


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


def test_a_share_of_few_is_never_certain() -> None:
    # Where all of n are hits, Wilson's lower end is n / (n + z²), with z = 1.96.
    assert share_interval(1, 1).low == pytest.approx(1 / 4.8415, abs=1e-4)
    assert share_interval(1, 1).high == pytest.approx(1.0)
    most, least = share_interval(8, 10), share_interval(2, 10)
    assert (most.mean, most.count) == (0.8, 10)
    assert (1 - least.high, 1 - least.low) == pytest.approx((most.low, most.high))
    assert share_interval(0, 0).count == 0
