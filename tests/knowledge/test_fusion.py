from __future__ import annotations

import pytest

from knowledge.fusion import dense_weight, reciprocal_rank_fusion


def test_the_fused_score_is_the_sum_of_reciprocal_ranks() -> None:
    fused = reciprocal_rank_fusion([["a", "b"], ["b", "c"]], [{}, {}])
    assert list(fused) == ["b", "a", "c"]
    assert fused == pytest.approx({"b": 1 / 62 + 1 / 61, "a": 1 / 61, "c": 1 / 62})


def test_a_weight_scales_what_one_ranking_says_of_an_item() -> None:
    fused = reciprocal_rank_fusion([["a"], ["b"]], [{"a": 0.5}, {}])
    assert fused == pytest.approx({"b": 1 / 61, "a": 0.5 / 61})


def test_nothing_found_is_nothing_fused() -> None:
    assert reciprocal_rank_fusion([[], []], [{}, {}]) == {}


def test_the_english_embedder_counts_less_when_either_side_is_not_english() -> None:
    full = dense_weight("en", "en")
    for pair in (("no", "en"), ("en", "no"), ("no", "no"), ("other", "en")):
        assert dense_weight(*pair) < full
