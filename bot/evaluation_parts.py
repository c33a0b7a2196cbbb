"""Handing evaluation what answers in Slack and what training measures with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.asking_in_ways import AskingInWays
from bot.evaluating import Evaluating

if TYPE_CHECKING:
    from bot.app import Skredder


def build_evaluating(skredder: Skredder) -> Evaluating:
    """Wire an `Evaluating` for this installation, with the very parts that answer and train."""
    training = skredder.retrainings._training
    make = training.make
    return Evaluating(
        database=skredder.database,
        asking=AskingInWays(
            database=skredder.database,
            answering=skredder.answering,
            open_version=skredder.models._open_version,
            persona=make.persona,
            find_section=make.find_section,
            embedder=lambda: skredder.retrieval._serving.current.embedder,
        ),
        measuring=training._measuring,
        make=make,
        base_name=training._base.name,
    )
