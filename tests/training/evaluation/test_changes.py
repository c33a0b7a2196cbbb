from __future__ import annotations

import json

from tests.training.evaluation.test_report import ROWS
from training.evaluation.changes import (
    Change,
    ChangeSum,
    changes_of,
    from_json,
    sums_by_author,
    to_json,
)

RIGHT = tuple(row.answer for row in ROWS[:3])
WRONG = ("The limit is 7 kroner a year.",) * 3


def test_what_a_version_now_answers_as_the_expert_would_is_told_from_what_it_does_not() -> None:
    found = changes_of(ROWS[:3], WRONG, (*RIGHT[:2], WRONG[2]))
    assert [change.agreed_before for change in found] == [False, False, False]
    assert [change.agrees_now for change in found] == [True, True, False]
    assert found[0] == Change(1, WRONG[0], RIGHT[0], False, True)


def test_sums_are_by_expert_and_leave_out_who_is_gone() -> None:
    found = changes_of(ROWS[:3], WRONG, (*RIGHT[:2], WRONG[2]))
    assert sums_by_author(found, {1: "U1", 3: "U1"}) == {"U1": ChangeSum(2, 0, 1)}


def test_changes_survive_being_kept_with_the_report() -> None:
    found = changes_of(ROWS[:3], WRONG, RIGHT)
    assert from_json(json.loads(json.dumps(to_json(found)))) == found
