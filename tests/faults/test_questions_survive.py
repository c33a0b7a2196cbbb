"""`kill -9` at every named point of answering: one question, one answer, always."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from storage.tables import AnswerRow, QuestionRow
from tests.faults.stage import QUESTION, Stage

POINTS = [
    "inbox.before_commit",
    "inbox.after_commit",
    "worker.before_claim",
    "worker.after_claim",
    "reply.before_post",
    "reply.after_post",
    "reply.after_text",
    "answer.before_final",
    "answer.after_final",
]


def _counts(stage: Stage) -> tuple[int, int]:
    with stage.database.read() as session:
        return (
            int(session.scalars(select(func.count()).select_from(QuestionRow)).one()),
            int(session.scalars(select(func.count()).select_from(AnswerRow)).one()),
        )


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "posted"])
@pytest.mark.parametrize("point", POINTS)
def test_a_question_is_answered_once_although_the_bot_is_killed(
    stage: Stage, point: str, streams: bool
) -> None:
    if not streams:
        stage.workspace.faults.remove_method("chat.startStream")
    dying = stage.start(fail_at=point)
    ts = stage.workspace.person("Kari").mention("general", QUESTION)
    stage.until_killed(dying)
    stage.start()
    stage.wait_until(lambda: stage.is_answered(ts), "the answer after the restart")
    stage.settle()
    assert len(stage.replies(ts)) == 1
    assert _counts(stage) == (1, 1)
