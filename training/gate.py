"""The gate: may a challenger answer? A pure function of the report and the rules."""

from __future__ import annotations

from dataclasses import dataclass

from training.evaluation.intervals import Interval
from training.evaluation.report import LABELS, Report
from training.recipe import GateRules

#: What a version is trained for; it must get better at one of these, and worse at neither.
GOALS = ("answer_f1", "voice")


@dataclass(frozen=True)
class GateDecision:
    """Whether the challenger passed, and every number that spoke for or against it."""

    passed: bool
    reasons: tuple[str, ...]


def decide(report: Report, rules: GateRules) -> GateDecision:
    """Judge a challenger.

    It passes if there are enough held-out questions; no goal is worse than the champion's by more
    than the tolerance and one is better beyond noise (the lower end of the paired 95 % interval
    is above 0); the right source is not cited less often by more than the margin; no more general
    probes are lost against the base than the margin; and no answer is empty.

    Returns:
        The decision. If it is refused, every reason names what missed what; if passed, what
        spoke for it.
    """
    faults = [
        *_too_few(report, rules),
        *_worse_goals(report, rules),
        *_not_better(report),
        *_lost_citations(report, rules),
        *_forgotten(report, rules),
        *_empty(report, rules),
    ]
    if faults:
        return GateDecision(False, tuple(faults))
    better = [
        f"{LABELS[name]} is better by {_points(report.differences[name])}"
        for name in GOALS
        if report.differences[name].low > 0
    ]
    base, challenger = report.base, report.challenger
    return GateDecision(
        True,
        (
            *better,
            f"general probes: {challenger.probes_right} of {challenger.probes_total} right, "
            f"the base {base.probes_right}",
        ),
    )


def _too_few(report: Report, rules: GateRules) -> list[str]:
    if report.held_out >= rules.held_out_pairs:
        return []
    return [
        f"there are {report.held_out} held-out pairs, and fewer than {rules.held_out_pairs} "
        "prove nothing"
    ]


def _worse_goals(report: Report, rules: GateRules) -> list[str]:
    return [
        f"{LABELS[name]} is {report.challenger.measures[name].mean:.1%}, the champion's "
        f"{report.champion.measures[name].mean:.1%}: worse by more than "
        f"{rules.goal_tolerance * 100:g} points"
        for name in GOALS
        if report.differences[name].mean < -rules.goal_tolerance
    ]


def _not_better(report: Report) -> list[str]:
    if any(report.differences[name].low > 0 for name in GOALS):
        return []
    found = " and ".join(f"{LABELS[name]} {_points(report.differences[name])}" for name in GOALS)
    return [f"nothing is better beyond noise: {found}"]


def _lost_citations(report: Report, rules: GateRules) -> list[str]:
    change = report.differences["right_source"]
    if change.mean >= -rules.citation_drop:
        return []
    return [
        f"the right source is cited in {report.challenger.measures['right_source'].mean:.1%} of "
        f"the answers, the champion's {report.champion.measures['right_source'].mean:.1%}: "
        f"worse by more than {rules.citation_drop * 100:g} points"
    ]


def _forgotten(report: Report, rules: GateRules) -> list[str]:
    base, challenger = report.base, report.challenger
    allowed = int(rules.probe_drop * base.probes_total)
    lost = base.probes_right - challenger.probes_right
    if lost <= allowed:
        return []
    kinds = ", ".join(
        f"{kind} {challenger.probes[kind].right} instead of {base.probes[kind].right}"
        for kind in base.probes
        if challenger.probes[kind].right < base.probes[kind].right
    )
    return [
        f"{challenger.probes_right} of {challenger.probes_total} general probes are right, the "
        f"base's {base.probes_right}: {lost} lost ({kinds}), and at most {allowed} may be"
    ]


def _empty(report: Report, rules: GateRules) -> list[str]:
    count = report.challenger.empty
    if count <= rules.empty_answers:
        return []
    return [f"{count} answers are empty, and at most {rules.empty_answers} may be"]


def _points(change: Interval) -> str:
    return f"{change.mean * 100:+.1f} points ({change.low * 100:+.1f} to {change.high * 100:+.1f})"
