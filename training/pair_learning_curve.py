"""Whether more pairs still help: the same training with a quarter, half and all of the pairs.

Each part is learned from anew, once through, by the trainer that makes versions; then it is asked
how likely each finds answers that none of them saw. Those are taken from the training side: what is
held out for the gate is not looked at.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from storage.pairs import Pair
from training.base_model import BaseModel
from training.evaluation.likelihood import ReferenceLikelihood
from training.job import TrainingJob
from training.process import TrainingCancelled, TrainingFailed, run_training
from training.rows import RowMaker
from training.snapshot import Snapshot, build_snapshot
from training.version_files import ADAPTER

#: The parts of the pairs that are learned from. Each holds the one before.
SHARES = (0.25, 0.5, 1.0)

#: More pairs than this are not learned from unless it is wished: some minutes of training.
MOST = 240

#: Fewer pairs on the training side than this say nothing about a quarter of them.
FEWEST = 40

#: The share of the pairs that is not learned from, and how many of them at most: 60 leave a mean
#: uncertain by about an eighth of how much single answers differ.
VALIDATION_SHARE = 0.2
VALIDATION_MOST = 60

#: A gain of less than this share of the loss is hardly one.
_HARDLY = 0.01

#: How many standard errors to each side hold the true mean, 19 times of 20.
_SURE = 1.96

#: The base model among the versions that are measured.
_BASE = "base"


class TooFewPairs(Exception):
    """There are too few pairs to compare parts of them; the message says how many are missing."""


@dataclass(frozen=True)
class Parts:
    """Pairs divided for a curve: what is never learned from, and the growing parts that are."""

    validation: tuple[Pair, ...]
    learned: tuple[tuple[Pair, ...], ...]


@dataclass(frozen=True)
class Point:
    """How many pairs were learned from, and the mean loss then, in nats a token."""

    pairs: int
    loss: float


@dataclass(frozen=True)
class Curve:
    """What learning from more and more pairs brought.

    Attributes:
        points: The base model without any pair first.
        validation: On how many answers the loss was measured.
        gain: By how much the loss fell with the last doubling, in nats a token.
        margin: The gain is right within this much, 19 times of 20.
        available: How many pairs there are to learn from, all told.
    """

    points: tuple[Point, ...]
    validation: int
    gain: float
    margin: float
    available: int

    @property
    def helps(self) -> bool | None:
        """Whether more pairs still help; None where that cannot be told."""
        if self.gain - self.margin > _HARDLY * self.points[-1].loss:
            return True
        return None if self.gain + self.margin > _HARDLY * self.points[-1].loss else False

    @property
    def message(self) -> str:
        """Whether more pairs still help, in a sentence, with what that rests on."""
        half, whole = self.points[-2:]
        verdict = {
            True: "More pairs still help",
            False: "More pairs of this kind hardly help",
            None: "Whether more pairs help cannot be told yet",
        }[self.helps]
        way = "fell" if self.gain >= 0 else "rose"
        told = (
            f"{verdict}: from {half.pairs:,} to {whole.pairs:,} pairs the loss {way} by "
            f"{abs(self.gain):.3f} nats a token, give or take {self.margin:.3f}, on "
            f"{self.validation:,} answers that were not learned."
        )
        if whole.pairs + self.validation < self.available:
            told += f" There are {self.available:,} pairs to learn from; `--most` measures more."
        return told


@dataclass(frozen=True)
class Making:
    """What rows are made with, as for a version."""

    base: BaseModel
    make: RowMaker


def draw_curve(
    pairs: Sequence[Pair],
    making: Making,
    folder: Path,
    *,
    most: int = MOST,
    on_step: Callable[[int, int, str], None] = lambda _done, _total, _name: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Curve:
    """Train with growing parts of the pairs and measure each.

    Args:
        pairs: The pairs that may train or measure; those held out are left alone.
        making: What rows are made with.
        folder: Where it works; everything in it is deleted, before and after.
        most: How many pairs are learned from at most.
        on_step: Called with the steps that are done, their number and what is going on.
        should_stop: Asked twice a second.

    Raises:
        TooFewPairs: there is too little to compare.
        TrainingFailed: a training ended without an adapter; the message says why.
        TrainingCancelled: `should_stop` said so.
        EvaluationStopped: it said so while the parts were measured.
    """
    parts = divide(pairs, most, making.make.recipe.seed)
    # General rows cost the base model's answers, and nothing is chosen on a validation part.
    recipe = replace(
        making.make.recipe,
        replay_share=0.0,
        unanswerable_share=0.0,
        bare_share=0.0,
        validation_share=0.0,
        patience=0,
        chooses_scale=False,
    )
    # Every part holds those of the one before.
    make = replace(making.make, recipe=recipe).looking_up_once()
    making = replace(making, make=make)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        asked = _frozen(parts.validation, making, folder).train
        orders = [_frozen(part, making, folder) for part in parts.learned]
        steps = [math.ceil(len(each.train) / recipe.batch_size * recipe.epochs) for each in orders]
        trained: dict[str, Path | None] = {_BASE: None}
        for place, frozen in enumerate(orders):
            name = f"Learning from {len(frozen.train):,} pairs"
            before = sum(steps[:place])
            on_step(before, sum(steps), name)
            trained[str(place)] = _train(
                frozen,
                making,
                folder / str(place),
                lambda step, before=before, name=name: on_step(before + step, sum(steps), name),  # type: ignore[misc]
                should_stop,
            )
        on_step(sum(steps), sum(steps), f"Measuring on {len(asked):,} answers")
        measure = ReferenceLikelihood(making.base.folder, folder / "losses", recipe.threads)
        likely = measure(trained, asked, should_stop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    losses = {name: [-math.log(max(each, 1e-12)) for each in likely[name]] for name in trained}
    groups = [row.group_key or row.question for row in asked]
    names = [str(place) for place in range(len(orders))]
    gain, margin = paired_gain(losses[names[-2]], losses[names[-1]], groups)
    points = [Point(0, fmean(losses[_BASE]))]
    points += [
        Point(len(frozen.train), fmean(losses[name]))
        for name, frozen in zip(names, orders, strict=True)
    ]
    available = sum(not pair.is_held_out and pair.is_usable for pair in pairs)
    return Curve(tuple(points), len(asked), gain, margin, available)


def divide(pairs: Sequence[Pair], most: int, seed: int) -> Parts:
    """Divide the pairs of the training side, whole groups at a time, in an order that a seed draws.

    Raises:
        TooFewPairs: fewer than `FEWEST`, or than `FEWEST` are wished.
    """
    usable = [pair for pair in pairs if not pair.is_held_out and pair.is_usable]
    if min(len(usable), most) < FEWEST:
        raise TooFewPairs(
            f"{len(usable):,} pairs can be learned from and {most:,} are wished at most; a "
            f"learning curve needs {FEWEST}."
        )
    drawn = sorted(usable, key=lambda pair: (_draw(pair.group_key, seed), pair.id))
    wished = min(round(len(drawn) * VALIDATION_SHARE), VALIDATION_MOST)
    border = _whole_groups(drawn, wished)
    rest = drawn[border:]
    rest = rest[: _whole_groups(rest, min(most, len(rest)))]
    return Parts(
        tuple(drawn[:border]),
        tuple(tuple(rest[: _whole_groups(rest, round(len(rest) * s))]) for s in SHARES),
    )


def paired_gain(
    before: Sequence[float], after: Sequence[float], groups: Sequence[str]
) -> tuple[float, float]:
    """Return by how much the loss fell from one model to another, and how sure that is.

    Args:
        before: The loss on each answer with the one.
        after: The loss on the same answers with the other.
        groups: The group of each answer: answers of one group are no independent witnesses.

    Returns:
        The mean fall, and half the width of its 95 % interval.
    """
    by_group: dict[str, list[float]] = {}
    for group, one, other in zip(groups, before, after, strict=True):
        by_group.setdefault(group, []).append(one - other)
    falls = [fmean(each) for each in by_group.values()]
    if len(falls) < 2:
        return fmean(falls), math.inf
    return fmean(falls), _SURE * stdev(falls) / math.sqrt(len(falls))


def _whole_groups(drawn: Sequence[Pair], wished: int) -> int:
    """Return where to cut near `wished` so that no group lies on both sides."""
    cut = wished
    while 0 < cut < len(drawn) and drawn[cut - 1].group_key == drawn[cut].group_key:
        cut += 1
    return cut


def _draw(group: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{group}".encode()).digest()


def _frozen(part: Sequence[Pair], making: Making, folder: Path) -> Snapshot:
    return build_snapshot(
        part,
        (),
        folder=folder / "rows",
        base=making.base.name,
        make=making.make,
    )


def _train(
    frozen: Snapshot,
    making: Making,
    folder: Path,
    on_step: Callable[[int], None],
    should_stop: Callable[[], bool],
) -> Path:
    """Train with one part; returns a folder as those of versions are."""
    folder.mkdir(parents=True)
    job = TrainingJob(
        run=0,
        base=str(making.base.folder),
        base_name=making.base.name,
        snapshot=str(frozen.path),
        digest=frozen.digest,
        work=str(folder / "checkpoints"),
        adapters=str(folder),
        name=ADAPTER,
        recipe=making.make.recipe,
    )
    try:
        adapter = run_training(job, folder / "run", lambda now: on_step(now.step), should_stop)
    except TrainingFailed as failed:
        if should_stop():  # it was ended before it could listen
            raise TrainingCancelled("The learning curve was stopped, as asked.") from failed
        raise
    shutil.copy(adapter / "manifest.json", folder / "manifest.json")
    return folder
