"""What admins read of a run, without a bot around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.run_plan import plan_run
from bot.settings import TrainingSettings
from bot.slack.retrain_view import plan_text, run_blocks
from bot.slack.words import words
from storage import runs, versions
from storage.database import Database
from storage.runs import Run
from tests.training.evaluation.test_report import report
from training.evaluation.changes import Change, to_json
from training.gate import GateDecision
from training.recipe import Recipe
from training.replay import rows_wanted, told_repeats
from training.retrain import Outcome


def ended(database: Database, changes: tuple[Change, ...]) -> Run:
    with database.write() as session:
        versions.ensure_base(session)
        run = runs.propose(session, "1", "U9")
        run = runs.claim(session, run.id, "test", timedelta(seconds=60))
        found = {"changes": to_json(changes)}
        return runs.finish(session, run.id, run.attempt, "passed", message="", report=found)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Of 3 corrections it has learned from, it answers 2 as the experts would; 1 before"),
        ("nb", "Av 3 rettelser den har lært av, svarer den på 2 som ekspertene ville; 1 før"),
    ],
)
def test_the_report_says_how_many_corrections_are_answered_as_the_experts_would(
    database: Database, language: str, told: str
) -> None:
    changes = tuple(
        Change(place, "7 kroner.", "103 kroner.", place == 1, place < 3) for place in (1, 2, 3)
    )
    run = ended(database, changes)
    outcome = Outcome(report(), GateDecision(True, ("better",)), 0)
    shown = str(run_blocks(run, outcome, words(language)))
    assert told in shown
    assert f"`skredder train changes v{run.id}`" in shown


def test_where_nothing_was_corrected_the_report_is_silent_about_it(database: Database) -> None:
    outcome = Outcome(report(), GateDecision(True, ("better",)), 0)
    assert "correction" not in str(run_blocks(ended(database, ()), outcome, words("en")))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "*Against forgetting:* 882 general examples are rehearsed: 140 different ones, each "
               "6 or 7 times."),
        ("nb", "*Mot å glemme:* Det øves på 882 allmenne eksempler: 140 ulike, 6 eller 7 ganger på "
               "hvert."),
    ],
)  # fmt: skip
def test_the_plan_says_how_often_general_examples_come_back(
    database: Database, language: str, told: str
) -> None:
    plan = plan_run(database, TrainingSettings(), Recipe(), context_tokens=420)
    assert told not in plan_text(plan, words(language))
    many = replace(plan, rehearsed=told_repeats(rows_wanted(5_000, 0.15), 140))
    assert told in plan_text(many, words(language))
