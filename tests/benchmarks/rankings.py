"""Which of several versions is better beyond noise, told from answers to the same questions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from rich.console import Console
from rich.table import Table

from training.evaluation.intervals import (
    Interval,
    better_by_chance,
    difference_interval,
    mean_interval,
)

#: By version, what each question of one collection brought it: 1 or 0, or a log-likelihood.
Values = Mapping[str, Sequence[float]]

#: A difference that chance alone brings more often than this is noise.
_LEVEL = 0.05


@dataclass(frozen=True)
class Scores:
    """What each question brought one version, by collection.

    Attributes:
        right: 1 for a right answer, 0 for a wrong one.
        likelihood: Log-likelihood of the right answer, in nats: a choice's beside the other
            choices', elsewhere the mean over its tokens.
    """

    right: Mapping[str, Sequence[float]]
    likelihood: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Agreement:
    """How two collections rank the same pairs of versions.

    Attributes:
        same: Pairs of which both say beyond noise that the same one is better.
        contrary: Pairs of which they say the opposite.
        undecided: Pairs of which at least one of them says nothing.
    """

    same: int
    contrary: int
    undecided: int


@dataclass(frozen=True)
class Difference:
    """A second version's mean less a first one's, on the same questions.

    Attributes:
        change: With the interval of a bootstrap over the questions.
        chance: How often chance alone makes two alike differ so much, either way (p-value).
    """

    change: Interval
    chance: float

    @property
    def verdict(self) -> int:
        """1 for better beyond noise, -1 for worse, 0 for what cannot be told.

        The randomisation test says so, at 5 %: where few questions differ the bootstrap finds too
        much. Each difference is judged by itself; of twenty that are none, one is taken for one.
        """
        return 0 if self.chance > _LEVEL else 1 if self.change.mean > 0 else -1


def differences(values: Values) -> dict[tuple[str, str], Difference]:
    """Return for each two versions the second's mean less the first's.

    Raises:
        ValueError: they were not asked the same questions.
    """
    found = {}
    for one, other in combinations(values, 2):
        old, new = values[one], values[other]
        chance = 2 * min(better_by_chance(new, old), better_by_chance(old, new))
        found[one, other] = Difference(difference_interval(new, old), min(chance, 1.0))
    return found


def agreement(one: Values, other: Values) -> Agreement:
    """Say of the same versions whether two collections rank them alike."""
    found, beside = differences(one), differences(other)
    signs = [found[pair].verdict * beside[pair].verdict for pair in found]
    return Agreement(signs.count(1), signs.count(-1), signs.count(0))


def show(found: Mapping[str, Scores], measure: str, guessed: Mapping[str, float]) -> None:
    """Print what each version reached, what is beyond noise, and what is ranked alike.

    Args:
        found: What each version brought.
        measure: The collection that the others are to confirm.
        guessed: The share that guessing gets right, of collections with choices.
    """
    console = Console(width=max(120, 60 * len(found)))
    right = {name: f"{share:.1%}" for name, share in guessed.items()}
    likely = {name: f"{math.log(share):.3f}" for name, share in guessed.items()}
    rights = {who: scores.right for who, scores in found.items()}
    likelihoods = {who: scores.likelihood for who, scores in found.items()}
    for title, by_version, by_guessing, tell, change in (
        ("right", rights, right, "{:.1%}", "{:+.1%}"),
        ("log-likelihood of the right answer, nats", likelihoods, likely, "{:.3f}", "{:+.3f}"),
    ):
        measured = {
            name: {who: brought[name] for who, brought in by_version.items()}
            for name in next(iter(by_version.values()))
        }
        console.print(_table_of_means(title, measured, by_guessing, tell.format))
        if len(found) > 1:
            told = f"{title}: what is beyond noise"
            console.print(_table_of_differences(told, measured, measure, change.format))


def _table_of_means(
    title: str,
    measured: Mapping[str, Values],
    by_guessing: Mapping[str, str],
    tell: Callable[[float], str],
) -> Table:
    """Return each collection's means with their intervals, and what guessing reaches."""
    versions = list(next(iter(measured.values())))
    table = Table("", "questions", *versions, "by guessing", title=title)
    for name, values in measured.items():
        means = [mean_interval(values[version]) for version in versions]
        cells = (f"{tell(m.mean)} ({tell(m.low)} to {tell(m.high)})" for m in means)
        table.add_row(name, str(means[0].count), *cells, by_guessing.get(name, ""))
    return table


def _table_of_differences(
    title: str, measured: Mapping[str, Values], measure: str, tell: Callable[[float], str]
) -> Table:
    """Return each collection's differences, and whether `measure` ranks the versions like it."""
    pairs = list(combinations(next(iter(measured.values())), 2))
    heads = [f"{other} less {one}" for one, other in pairs]
    table = Table("", *heads, f"{measure}: same / contrary / undecided", title=title)
    for name, values in measured.items():
        found = differences(values)
        cells = (
            f"{tell(each.change.mean)} ({tell(each.change.low)} to {tell(each.change.high)}), "
            f"p {each.chance:.3f} {('worse', '', 'better')[each.verdict + 1]}".strip()
            for each in found.values()
        )
        alike = agreement(values, measured[measure])
        told = f"{alike.same} / {alike.contrary} / {alike.undecided}" if name != measure else ""
        table.add_row(name, *cells, told)
    return table
