from __future__ import annotations

from dataclasses import replace

import pytest

from training.evaluation.intervals import Interval, difference_interval, mean_interval
from training.evaluation.report import LABELS, ProbeCount, Report, VersionScores
from training.gate import decide
from training.recipe import GateRules


def scores(version: str, probes: int = 40, empty: int = 0, **means: float) -> VersionScores:
    measures = {name: Interval(means.get(name, 0.5), 0.4, 0.6, 40) for name in LABELS}
    counts = {"arithmetic": ProbeCount(probes - 20, 30), "knowledge": ProbeCount(20, 30)}
    return VersionScores(version, measures, counts, 20.0, empty, None)


def change(mean: float, noise: float = 0.05) -> Interval:
    return Interval(mean, mean - noise, mean + noise, 40)


def report(
    held_out: int = 40,
    base_probes: int = 40,
    probes: int = 40,
    empty: int = 0,
    **changes: float,
) -> Report:
    return Report(
        base=scores("base", base_probes),
        champion=scores("base", base_probes),
        challenger=scores("v1", probes, empty),
        differences={name: change(changes.get(name, 0.0)) for name in LABELS},
        held_out=held_out,
        retrieved=1.0,
        voice_accuracy=1.0,
        voice_agreement=None,
    )


def test_a_better_challenger_passes_and_it_is_said_why() -> None:
    decision = decide(report(answer_f1=0.3, voice=0.8), GateRules())
    assert decision.passed
    assert any("answer F1 is better by +30.0 points" in reason for reason in decision.reasons)


def test_a_worse_answer_is_refused_even_in_a_better_voice() -> None:
    decision = decide(report(answer_f1=-0.1, voice=0.8), GateRules())
    assert not decision.passed
    assert "answer F1" in decision.reasons[0]
    assert "worse by more than 2 points" in decision.reasons[0]


def test_a_lost_voice_is_refused_even_with_better_answers() -> None:
    decision = decide(report(answer_f1=0.3, voice=-0.2), GateRules())
    assert not decision.passed
    assert "in the voice" in decision.reasons[0]


def test_a_tie_is_refused() -> None:
    decision = decide(report(), GateRules())
    assert not decision.passed
    assert decision.reasons[0].startswith("nothing is better beyond noise")


def test_an_improvement_within_noise_is_refused() -> None:
    assert not decide(report(answer_f1=0.04), GateRules()).passed


def test_too_few_held_out_pairs_prove_nothing() -> None:
    decision = decide(report(held_out=29, answer_f1=0.3), GateRules(held_out_pairs=30))
    assert decision.reasons == ("there are 29 held-out pairs, and fewer than 30 prove nothing",)


def test_a_challenger_that_forgot_is_refused_with_the_kinds_it_lost() -> None:
    forgetful = report(probes=33, answer_f1=0.3)
    decision = decide(forgetful, GateRules(probe_drop=0.1))
    assert not decision.passed
    assert "7 lost (arithmetic 13 instead of 20), and at most 6 may be" in decision.reasons[0]
    assert decide(report(probes=34, answer_f1=0.3), GateRules(probe_drop=0.1)).passed


def test_forgetting_is_measured_against_the_base_not_the_champion() -> None:
    slipping = report(base_probes=40, probes=30, answer_f1=0.3)
    slipping = replace(slipping, champion=scores("v0", 30))
    assert not decide(slipping, GateRules()).passed


def test_a_challenger_that_cites_worse_is_refused() -> None:
    decision = decide(report(answer_f1=0.3, right_source=-0.06), GateRules())
    assert not decision.passed
    assert "right source" in decision.reasons[0]
    assert decide(report(answer_f1=0.3, right_source=-0.04), GateRules()).passed


def test_an_empty_answer_is_refused() -> None:
    decision = decide(report(answer_f1=0.3, empty=1), GateRules())
    assert decision.reasons == ("1 answers are empty, and at most 0 may be",)


def test_every_fault_is_named_not_only_the_first() -> None:
    decision = decide(report(held_out=3, answer_f1=-0.2, probes=20, empty=2), GateRules())
    assert len(decision.reasons) == 5


def test_no_difference_passes_the_gate_in_at_most_a_twentieth_of_all_cases() -> None:
    numpy = pytest.importorskip("numpy")
    draw = numpy.random.default_rng(5)
    passed = 0
    for trial in range(400):
        values = {
            "answer_f1": draw.normal(0.5, 0.25, (2, 47)),
            "voice": (draw.random((2, 47)) < 0.7).astype(float),
        }
        differences = {
            name: difference_interval(list(new), list(old), seed=trial)
            for name, (new, old) in values.items()
        }
        even = replace(report(), differences=dict(report().differences) | differences)
        passed += decide(even, GateRules()).passed
    assert passed / 400 <= 0.05


def test_an_interval_holds_its_mean_and_narrows_with_more_values() -> None:
    few, many = mean_interval([0.0, 1.0] * 5), mean_interval([0.0, 1.0] * 500)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_a_paired_difference_sees_what_two_separate_intervals_would_not() -> None:
    hard = [i / 100 for i in range(100)]
    change = difference_interval([value + 0.01 for value in hard], hard)
    assert change.low > 0


def test_pairs_are_needed_for_a_paired_difference() -> None:
    with pytest.raises(ValueError, match="Paired values"):
        difference_interval([1.0], [1.0, 0.0])
