"""Handing evaluation what answers in Slack and what training measures with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.asking_in_ways import AskingInWays
from bot.challenging import Challenging
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
        measuring=training.measuring,
        make=make,
        base=skredder.base.used,
    )


def build_challenging(skredder: Skredder) -> Challenging:
    """Wire a `Challenging` for this installation."""
    return Challenging(
        database=skredder.database,
        training=skredder.retrainings._training,
        choice=skredder.base,
        prepare=skredder.prepare_base,
        opener_for=skredder.opener_for,
        is_remote=skredder.settings.model.engine == "remote",
        is_stopping=skredder.retrainings.is_stopping,
    )
