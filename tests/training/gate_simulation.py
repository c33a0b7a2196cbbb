"""Challengers without end: how many that are no better does the gate let through?

Run as a program it prints the rates of all settings; the tests run a few of them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy

from training.evaluation.compare import Differences
from training.evaluation.intervals import mean_interval
from training.evaluation.report import LABELS, ProbeCount, Report, VersionScores
from training.gate import decide
from training.recipe import GateRules

#: Probes that are scored, and how many general answers are looked at for the voice.
PROBES = 60


@dataclass(frozen=True)
class World:
    """How champion and challenger are drawn.

    Attributes:
        questions: Held-out questions.
        voice: Share in the voice, on average; each question has a share of its own.
        same: Share of questions to which both say the very same.
        better_answers: By how much the challenger's F1 is truly better.
        better_voice: By how much its voice is.
    """

    questions: int
    voice: float
    same: float
    better_answers: float = 0.0
    better_voice: float = 0.0


NO_DIFFERENCE = tuple(
    World(questions, voice, same)
    for questions in (30, 50, 100)
    for voice in (0.1, 0.6, 0.95)
    for same in (0.0, 0.7)
)


def draw_report(world: World, draw: Any) -> Report:
    """Draw one champion and one challenger, and measure them as evaluation does."""
    n = world.questions
    hardness = draw.beta(2, 2, n)
    speaks = numpy.clip(draw.beta(8 * world.voice, 8 * (1 - world.voice), n), 0, 1)
    knows = draw.random(PROBES) < 0.6

    def version(answers: float, voice: float) -> dict[str, Any]:
        return {
            "answer_f1": numpy.clip(draw.normal(hardness + answers, 0.2), 0, 1),
            "voice": (draw.random(n) < numpy.clip(speaks + voice, 0, 1)).astype(float),
            "right_source": (draw.random(n) < 0.5 + 0.4 * hardness).astype(float),
            "unsupported": (draw.random(n) < 0.05).astype(float),
            "probes": (knows ^ (draw.random(PROBES) < 0.02)).astype(float),
            "leaks": numpy.zeros(PROBES),
        }

    champion = version(0.0, 0.0)
    challenger = version(world.better_answers, world.better_voice)
    alike = draw.random(n) < world.same
    for name in ("answer_f1", "voice", "right_source", "unsupported"):
        if not (world.better_answers or world.better_voice):
            challenger[name] = numpy.where(alike, champion[name], challenger[name])
    base = version(0.0, 0.0)
    languages = ["en" if place % 4 else "no" for place in range(n)]
    found = Differences.between(
        {name: list(values) for name, values in challenger.items()},
        {name: list(values) for name, values in champion.items()},
        {name: list(values) for name, values in base.items()},
        languages,
    )
    return Report(
        base=_scores("base", base),
        champion=_scores("v1", champion),
        challenger=_scores("v2", challenger),
        differences={**{name: mean_interval([]) for name in LABELS}, **found.differences},
        chances=found.chances,
        against_base=found.against_base,
        by_language=found.by_language,
        held_out=n,
        retrieved=1.0,
        voice_accuracy=1.0,
        voice_agreement=None,
    )


def passing(world: World, trials: int, seed: int) -> float:
    """Return the share of challengers that the gate lets through."""
    draw = numpy.random.default_rng(seed)
    return sum(decide(draw_report(world, draw), GateRules()).passed for _ in range(trials)) / trials


def _scores(name: str, values: dict[str, Any]) -> VersionScores:
    # The gate reads no interval of a single version, only their means, for its reasons.
    measures = {label: mean_interval([]) for label in LABELS}
    right = int(values["probes"].sum())
    return VersionScores(name, measures, {"all": ProbeCount(right, PROBES)}, 20.0, 0, None)


if __name__ == "__main__":
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for world in NO_DIFFERENCE:
        print(f"{world}: {passing(world, trials, 1):.3f}", flush=True)
    for gain in (0.05, 0.1, 0.2):
        for questions in (30, 50, 100):
            better = World(questions, 0.6, 0.0, better_answers=gain)
            voiced = World(questions, 0.5, 0.0, better_voice=2 * gain)
            print(f"{better}: {passing(better, trials, 2):.3f}", flush=True)
            print(f"{voiced}: {passing(voiced, trials, 3):.3f}", flush=True)
