"""What stands under an answer that somebody stopped."""

from __future__ import annotations

from dataclasses import replace

from bot.slack import blocks
from bot.slack.words import words
from storage.answers import Answer
from storage.clock import utc_now

FAILED = Answer(
    id=1,
    question_id=1,
    status="failed",
    text="Stopped, as you asked.",
    model_version=None,
    pair_id=None,
    timings={},
    error_id="Q-1",
    channel="C1",
    message_ts="1.0",
    created_at=utc_now(),
    sources=(),
)


def test_a_stopped_answer_is_no_error() -> None:
    stopped = replace(FAILED, error_id=blocks.STOPPED)
    assert "Error" not in str(blocks.answer_blocks(blocks.Shown(stopped), words()))
    assert "Error Q-1" in str(blocks.answer_blocks(blocks.Shown(FAILED), words()))
