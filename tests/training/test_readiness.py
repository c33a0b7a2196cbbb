from __future__ import annotations

from training.readiness import due


def test_the_first_training_waits_for_enough_pairs() -> None:
    ready = due(4_990, 4_990, has_trained=False, enough_pairs=5_000, retrain_every=500)
    assert not ready.is_due
    assert ready.missing == 10
    assert ready.message == "4,990 of 5,000 pairs for the first training; 10 more are needed."


def test_the_first_training_is_due_with_the_last_missing_pair() -> None:
    assert due(5_000, 5_000, has_trained=False, enough_pairs=5_000, retrain_every=500).is_due


def test_a_later_training_counts_only_new_pairs() -> None:
    ready = due(9_000, 499, has_trained=True, enough_pairs=5_000, retrain_every=500)
    assert not ready.is_due
    assert ready.missing == 1
    assert due(9_000, 500, has_trained=True, enough_pairs=5_000, retrain_every=500).is_due
