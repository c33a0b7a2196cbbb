"""`train plan`: gathers what there is, and asks whether tuning is worth it now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.settings import Settings
from knowledge.near_questions import frame_of
from storage import asked, pair_ledger, pairs, snapshots
from storage.clock import utc_now
from storage.database import Database
from training.pair_quality import voice_rules
from training.prompt import Voice
from training.readiness_report import Gathered, Plan, plan

#: What was asked in this time is what people ask.
LATELY = timedelta(days=90)

#: The share of a question's words that one pair must have to touch it.
_TOUCHED = 0.5

#: How many topics are named that nobody wrote pairs about.
_NAMED = 5


def make_plan(database: Database, settings: Settings) -> Plan:
    """Look at the pairs and at what was asked, and say what to do."""
    with database.read() as session:
        return plan(gather(session, settings))


def plan_json(database: Database, settings: Settings) -> dict[str, Any]:
    """Return the plan as plain values, ready for JSON."""
    return asdict(make_plan(database, settings))


def gather(session: Session, settings: Settings) -> Gathered:
    """Collect what a plan is made from."""
    usable = pairs.for_snapshot(session)
    counted = pair_ledger.count(session)
    learned = snapshots.pairs_in_last(session)
    training = settings.training
    needed = len(learned) + training.retrain_every if learned else training.enough_pairs
    since = utc_now() - LATELY
    covered, uncovered = coverage(
        asked.texts_since(session, since), [question for _, question, _ in _approved(session)]
    )
    answers, standing = asked.standing_answers(session, since)
    return Gathered(
        goal=settings.goal,
        train=counted.train,
        held_out=counted.held_out,
        pairs_needed=needed,
        waiting=counted.by_state["proposed"],
        held=counted.by_state["approved"] - len(usable),
        in_voice=share_in_voice(settings.persona().voice, [pair.output for pair in usable]),
        covered=covered,
        uncovered=uncovered,
        answers=answers,
        standing=standing / answers if answers else None,
    )


def share_in_voice(voice: Voice, outputs: Sequence[str]) -> float | None:
    """Return the share of answers that keep every rule that most of them keep; None if none do."""
    rules = voice_rules(voice, outputs)
    if not rules or not outputs:
        return None
    return sum(all(rule.fault(text) is None for rule in rules) for text in outputs) / len(outputs)


def coverage(
    questions: Sequence[str], in_pairs: Sequence[str]
) -> tuple[float | None, tuple[str, ...]]:
    """Return which share of the questions a pair touches, and what the others are about.

    A pair touches a question if its question has half of the words that say what it is about.
    """
    if not questions:
        return None, ()
    having: dict[str, set[int]] = {}
    for number, text in enumerate(in_pairs):
        for key in frame_of(text).keys:
            having.setdefault(key, set()).add(number)
    missed: Counter[str] = Counter()
    touched = 0
    for question in questions:
        keys = frame_of(question).keys
        shared = Counter(number for key in keys for number in having.get(key, ()))
        if keys and max(shared.values(), default=0) >= _TOUCHED * len(keys):
            touched += 1
        else:
            missed.update(_spelled(question))
    topics = tuple(word for word, _ in sorted(missed.items(), key=lambda m: (-m[1], m[0]))[:_NAMED])
    return touched / len(questions), topics


def _approved(session: Session) -> tuple[tuple[int, str, str], ...]:
    return tuple(row for row in pairs.approved_questions(session) if row[2] == "everyone")


def _spelled(question: str) -> frozenset[str]:
    """The words that say what a question is about, as they are written."""
    frame = frame_of(question)
    return frozenset(
        word for word in frame.words if len(word) > 3 and frame_of(word).keys & frame.keys
    )
