"""The gate: may a challenger answer? A pure function of the report and the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.evaluation.intervals import Interval
from training.evaluation.report import GOALS, LABELS, Report
from training.recipe import GateRules

#: A goal is what a version is for, so that being probably worse (nine to one) is enough to refuse:
#: the standard normal distribution's quantiles of 90 % and 97.5 % have this ratio.
_PROBABLY = 1.282 / 1.960

_LANGUAGES = {"en": "English", "no": "Norwegian"}


@dataclass(frozen=True)
class _Bound:
    """How far a measure of the held-out questions may fall behind the champion's.

    Attributes:
        measure: Its name in the report.
        tolerance: What may be lost, as a share.
        sentence: What is said of a challenger beyond it.
        sureness: How sure the loss must be, as `_is_worse` takes it.
        less_is_better: Whether a rise is the loss.
    """

    measure: str
    tolerance: float
    sentence: str = (
        "{measure} is {now}, the champion's {before}: worse by more than {points} points"
    )
    sureness: float = 1.0
    less_is_better: bool = False


@dataclass(frozen=True)
class GateDecision:
    """Whether the challenger passed, and every number that spoke for or against it."""

    passed: bool
    reasons: tuple[str, ...]


def decide(report: Report, rules: GateRules) -> GateDecision:
    """Judge a challenger.

    It passes if there are enough held-out questions; one goal is better than the champion's
    beyond noise and none is probably worse by more than the tolerance; and every guard holds:
    sources, numbers, unsupported sentences, "I don't know" where it belongs, each language by
    itself, what the base knew, the voice where it does not belong, empty answers. A guard is
    broken by what is worse by more than its tolerance and beyond noise; a goal, and what the base
    knew, already by what is probably worse.

    Returns:
        The decision. If it is refused, every reason names what missed what; if passed, what
        spoke for it.
    """
    faults = [
        *_too_few(report, rules),
        *_behind_the_champion(report, _goals(rules)),
        *_not_better(report, rules),
        *_behind_the_champion(report, _guards(rules)),
        *_worse_in_a_language(report, rules),
        *_forgotten(report, rules),
        *_leaking(report, rules),
        *_empty(report, rules),
    ]
    if faults:
        return GateDecision(False, tuple(faults))
    better = [
        f"{LABELS[name]} is better by {_points(report.differences[name])}"
        for name in better_goals(report.chances, rules.false_promotions)
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


def better_goals(chances: Mapping[str, float], level: float) -> tuple[str, ...]:
    """Return the goals that are better beyond noise, all of them judged together.

    Two goals tested at 5 % each let nearly 10 % of all challengers pass that are no better in
    either. Holm's procedure (1979, "A simple sequentially rejective multiple test procedure")
    keeps the chance of even one false goal at `level`: the smallest p-value must be at most the
    level divided by the number of goals, the next one divided by one less, and so on.
    """
    better = []
    for place, name in enumerate(sorted(chances, key=lambda goal: chances[goal])):
        if chances[name] > level / (len(chances) - place):
            break
        better.append(name)
    return tuple(name for name in GOALS if name in better)


def _too_few(report: Report, rules: GateRules) -> list[str]:
    if report.held_out >= rules.held_out_pairs:
        return []
    return [
        f"there are {report.held_out} held-out pairs, and fewer than {rules.held_out_pairs} "
        "prove nothing"
    ]


def _goals(rules: GateRules) -> tuple[_Bound, ...]:
    return tuple(_Bound(name, rules.goal_tolerance, sureness=_PROBABLY) for name in GOALS)


def _guards(rules: GateRules) -> tuple[_Bound, ...]:
    return (
        _Bound(
            "right_source",
            rules.citation_drop,
            "the right source is cited in {now} of the answers, the champion's {before}: "
            "worse by more than {points} points",
        ),
        _Bound("right_numbers", rules.number_drop),
        _Bound(
            "unsupported",
            rules.unsupported_rise,
            "{now} of what it says is not supported by the passages, the champion's {before}: "
            "{change}, and at most {points} points more may be",
            less_is_better=True,
        ),
        _Bound(
            "unknowing",
            rules.abstention_drop,
            "where the passages do not answer, it says so in {now} of the cases, the champion in "
            "{before}: worse by more than {points} points",
        ),
    )


def _behind_the_champion(report: Report, bounds: Sequence[_Bound]) -> list[str]:
    faults = []
    for bound in bounds:
        change = report.differences[bound.measure]
        gain = _turned(change) if bound.less_is_better else change
        if _is_worse(gain, bound.tolerance, bound.sureness):
            faults.append(
                bound.sentence.format(
                    measure=LABELS[bound.measure],
                    now=f"{report.challenger.measures[bound.measure].mean:.1%}",
                    before=f"{report.champion.measures[bound.measure].mean:.1%}",
                    change=_points(change),
                    points=f"{bound.tolerance * 100:g}",
                )
            )
    return faults


def _not_better(report: Report, rules: GateRules) -> list[str]:
    if better_goals(report.chances, rules.false_promotions):
        return []
    found = " and ".join(f"{LABELS[name]} {_points(report.differences[name])}" for name in GOALS)
    return [f"nothing is better beyond noise: {found}"]


def _worse_in_a_language(report: Report, rules: GateRules) -> list[str]:
    if len(report.by_language) < 2:  # then it is what is judged anyway
        return []
    return [
        f"in {_LANGUAGES.get(language, language)} {LABELS[name]} is worse by "
        f"{_points(change)} on {change.count} questions, and at most "
        f"{rules.language_drop * 100:g} points may be"
        for language, changes in sorted(report.by_language.items())
        for name, change in changes.items()
        if change.count >= rules.language_questions and _is_worse(change, rules.language_drop)
    ]


def _forgotten(report: Report, rules: GateRules) -> list[str]:
    change = report.against_base.get("probes")
    # With 95 % confidence a few dozen probes show a great loss only: a probable one is enough.
    if change is None or not _is_worse(change, rules.probe_drop, _PROBABLY):
        return []
    base, challenger = report.base, report.challenger
    kinds = ", ".join(
        f"{kind} {challenger.probes[kind].right} instead of {base.probes[kind].right}"
        for kind in base.probes
        if challenger.probes[kind].right < base.probes[kind].right
    )
    return [
        f"{challenger.probes_right} of {challenger.probes_total} general probes are right, the "
        f"base's {base.probes_right}: {_points(change)} ({kinds}), and at most "
        f"{rules.probe_drop * 100:g} points may be lost"
    ]


def _leaking(report: Report, rules: GateRules) -> list[str]:
    change = report.against_base.get("leaks")
    if change is None or change.mean <= rules.leaks:
        return []
    return [
        f"{report.challenger.measures['leaks'].mean:.1%} of the answers to general questions "
        f"come in the company's voice, the base's {report.base.measures['leaks'].mean:.1%}: it "
        f"leaks, and at most {rules.leaks * 100:g} points more may"
    ]


def _empty(report: Report, rules: GateRules) -> list[str]:
    count = report.challenger.empty
    if count <= rules.empty_answers:
        return []
    return [f"{count} answers are empty, and at most {rules.empty_answers} may be"]


def _is_worse(change: Interval, tolerance: float, sureness: float = 1.0) -> bool:
    """Whether something is worse by more than a tolerance, and beyond noise.

    Args:
        change: Challenger less champion, or less base.
        tolerance: What may be lost.
        sureness: How much of the 95 % interval's upper half must lie below nothing, too.
    """
    upper = change.mean + sureness * (change.high - change.mean)
    return change.mean < -tolerance and upper < 0


def _turned(change: Interval) -> Interval:
    """A change of something of which less is better, so that a rise is a fall."""
    return Interval(-change.mean, -change.high, -change.low, change.count)


def _points(change: Interval) -> str:
    return f"{change.mean * 100:+.1f} points ({change.low * 100:+.1f} to {change.high * 100:+.1f})"
