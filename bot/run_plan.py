"""What a retraining would take: counts, time and cost, as sums that can be checked."""

from __future__ import annotations

from dataclasses import dataclass

from bot.settings import TrainingSettings
from storage import pairs, runs, snapshots
from storage.database import Database
from storage.runs import Run
from training.recipe import Recipe
from training.replay import read_prompts, rows_wanted, told_repeats

#: Tokens a second of QLoRA on two processor cores, before any run here has shown its own: between
#: 160 and 230 were measured with the bundled model.
TOKENS_A_SECOND = 190.0

#: Characters a token, in English; Norwegian takes a few more tokens.
CHARACTERS_A_TOKEN = 4.0

#: Tokens of a row beside question, answer and passages: who speaks, and the chat's marks.
FRAME_TOKENS = 90

#: Seconds for one held-out question: two versions answer it, about three seconds each.
MEASURING_SECONDS = 6.0


@dataclass(frozen=True)
class Plan:
    """A run as it would begin now. Times are in seconds."""

    approved: int
    new: int
    training: int
    held_out: int
    held: int
    missing: int
    tokens: int
    tokens_a_second: float
    is_speed_measured: bool
    training_seconds: float
    measuring_seconds: float
    hour_price: float
    currency: str
    #: How often general examples are rehearsed, in a sentence.
    rehearsed: str

    @property
    def seconds(self) -> float:
        """The time from the start to the gate's decision."""
        return self.training_seconds + self.measuring_seconds

    @property
    def cost(self) -> float:
        """What the machine's time costs, in `currency`."""
        return self.seconds / 3600 * self.hour_price


def plan_run(
    database: Database, settings: TrainingSettings, recipe: Recipe, context_tokens: int
) -> Plan:
    """Count what a run would train on, and estimate what it takes."""
    with database.read() as session:
        usable = pairs.for_snapshot(session)
        approved = len(pairs.ids_approved(session))
        seen = snapshots.pairs_in_last(session)
        newest = runs.listed(session, limit=20)
    training = [pair for pair in usable if not pair.is_held_out]
    new = sum(1 for pair in usable if pair.id not in seen)
    characters = sum(len(pair.input) + len(pair.output) for pair in training)
    rows = recipe.rows_of(len(training))
    row_tokens = (context_tokens + FRAME_TOKENS) * rows + characters / CHARACTERS_A_TOKEN
    tokens = int(row_tokens * recipe.epochs / (1 - recipe.replay_share))
    speed = measured_speed(newest)
    held_out = len(usable) - len(training)
    if seen:
        missing = max(settings.retrain_every - new, 0)
    else:
        missing = max(settings.enough_pairs - len(usable), 0)
    return Plan(
        approved=approved,
        new=new,
        training=len(training),
        held_out=held_out,
        held=approved - len(usable),
        missing=missing,
        tokens=tokens,
        tokens_a_second=speed or TOKENS_A_SECOND,
        is_speed_measured=speed is not None,
        training_seconds=tokens / (speed or TOKENS_A_SECOND),
        measuring_seconds=held_out * MEASURING_SECONDS,
        hour_price=settings.hour_price,
        currency=settings.currency,
        rehearsed=told_repeats(rows_wanted(rows, recipe.replay_share), len(read_prompts())),
    )


def measured_speed(newest: tuple[Run, ...]) -> float | None:
    """Return how many tokens a second the last run here did, or None before the first.

    One that trained another base model, to challenge, says nothing about the one in use.
    """
    speeds = (run.tokens_per_second for run in newest if not run.is_challenge)
    return next((speed for speed in speeds if speed), None)
