"""`kill -9` around a correction: acknowledged means durable, and once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.slack import blocks, correction_form
from storage.tables import PairRow
from tests.faults.stage import QUESTION, Json, Stage

BETTER = "Hei! It is 52 weeks since May. God tur!"
VALUES = {
    correction_form.ANSWER_BLOCK: {correction_form.ANSWER_INPUT: BETTER},
    correction_form.REASON_BLOCK: {correction_form.REASON_INPUT: "outdated"},
}


def _corrections(stage: Stage) -> list[str]:
    with stage.database.read() as session:
        found = session.scalars(select(PairRow.state).where(PairRow.output == BETTER))
        return list(found)


def _form(stage: Stage, ts: str) -> Json:
    """Let Ingrid press "Bad answer", and return the form that opens."""
    ingrid = stage.workspace.person("Ingrid")
    answer = stage.replies(ts)[0]
    ingrid.press(answer["ts"], blocks.FEEDBACK, "negative")

    def forms() -> list[Json]:
        shown = stage.workspace.views_of("Ingrid")
        return [view for view in shown if view["callback_id"] == correction_form.CORRECTION]

    return stage.wait_until(forms, "the form")[-1]


@pytest.mark.parametrize(
    ("point", "is_stored"),
    [
        ("correction.before", False),
        ("correction.in_transaction", False),
        ("correction.after_commit", True),
        ("correction.before_ack", True),
        ("correction.after_ack", True),
    ],
)
def test_a_correction_is_stored_once_although_the_bot_is_killed(
    stage: Stage, point: str, is_stored: bool
) -> None:
    dying = stage.start(fail_at=point)
    ts = stage.workspace.person("Kari").mention("general", QUESTION)
    stage.wait_until(lambda: stage.is_answered(ts), "the answer")
    form = _form(stage, ts)
    ingrid = stage.workspace.person("Ingrid")
    submission = ingrid.submit(form, VALUES)
    stage.until_killed(dying)
    assert len(_corrections(stage)) == int(is_stored)
    if submission.is_accepted:
        assert is_stored, "the form closed before the correction was durable"
    stage.start()
    if not submission.is_accepted:
        again = ingrid.submit(form, VALUES)
        assert again.is_accepted, again
    stage.wait_until(lambda: _corrections(stage) == ["approved"], "the correction")
    stage.wait_until(lambda: len(stage.replies(ts)) == 2, "the message to the asker")
    stage.settle()
    assert _corrections(stage) == ["approved"]
    assert len(stage.replies(ts)) == 2
