"""What the command line can ask for, by name, with plain values in and out.

The same operations run inside the bot (handed over by a command) or in the command's own process
when no bot runs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.asking_in_ways import EvaluationRefused
from bot.challenge_checks import ChallengeRefused
from bot.changes import WhatChanged
from bot.channel_choices import ChannelChoices, ChannelUnknown
from bot.corrections import CorrectionRefused
from bot.evaluation_parts import build_challenging, build_evaluating
from bot.evaluation_questions import QuestionFileInvalid
from bot.inference.language_model import InferenceFailed
from bot.pair_care import CARE_ERRORS
from bot.pair_deciding import PairDeciding
from bot.permissions import NotAllowed
from bot.planning import plan_json
from bot.prequential_plot import NoPlot, write_scores
from bot.question_text import QuestionUnusable, clean_question
from bot.retraining import RetrainRefused
from bot.run_plan import plan_run
from bot.schedule import RetrainSchedule, ScheduleRefused
from bot.slack.calls import SlackRefused, SlackUncertain
from bot.training_parts import recipe_of
from bot.upkeep import SourceUnknown
from knowledge.embedder_model import EmbedderUnusable
from knowledge.ingest import SyncStopped
from knowledge.keyword_index import KeywordIndexUnusable
from knowledge.listing import SourceMissing
from knowledge.passage_index import IndexOwned, IndexUnusable
from knowledge.reranker import RerankerUnusable
from storage import answers, pairs, questions
from storage.answers import NewAnswer
from storage.database import DatabaseUnusable
from storage.pairs import Pair, PairChangeRefused
from training.base_model import BaseModelCorrupt, BaseModelMissing
from training.pair_files import PairFileInvalid
from training.pair_learning_curve import MOST

if TYPE_CHECKING:
    from bot.app import Skredder

Progress = Callable[[dict[str, Any]], None]

#: Who acts when a command does.
COMMAND_LINE = "command line"

#: Errors whose message is written for the person who gave the command.
USER_ERRORS: tuple[type[Exception], ...] = (
    BaseModelCorrupt,
    BaseModelMissing,
    ChallengeRefused,
    ChannelUnknown,
    CorrectionRefused,
    DatabaseUnusable,
    EmbedderUnusable,
    EvaluationRefused,
    IndexOwned,
    IndexUnusable,
    InferenceFailed,
    KeywordIndexUnusable,
    NoPlot,
    NotAllowed,
    PairChangeRefused,
    PairFileInvalid,
    QuestionFileInvalid,
    QuestionUnusable,
    RetrainRefused,
    ScheduleRefused,
    SlackRefused,
    SlackUncertain,
    RerankerUnusable,
    SourceMissing,
    SourceUnknown,
    SyncStopped,
    *CARE_ERRORS,
)


class Operations:
    """The operations of one installation."""

    def __init__(self, skredder: Skredder) -> None:
        """Take the wired installation."""
        self._skredder = skredder
        self._quick: dict[str, Callable[..., Any]] = {
            "ask": self.ask,
            "search": self.search,
            "pairs.list": self.list_pairs,
            "pairs.approve": self.approve_pair,
            "pairs.reject": self.reject_pair,
            "pairs.revoke": self.revoke_pair,
            "pairs.confirm": self.confirm_pair,
            "train.plan": self.train_plan,
            "train.status": self.train_status,
            "train.list": self.train_list,
            "train.cancel": self.train_cancel,
            "train.rollback": self.train_rollback,
            "train.promote": self.train_promote,
            "train.changes": WhatChanged(skredder.database).of,
            "train.withdraw": self.train_withdraw,
            "train.retire": self.train_retire,
            "train.schedule": self.train_schedule,
            "sources.list": skredder.upkeep.sources,
            "sources.remove": self.remove_source,
            "gaps": skredder.upkeep.gaps,
            "doctor": skredder.upkeep.examine,
            **skredder.care.quick,
        }
        self._quick |= PairDeciding(
            skredder.database, COMMAND_LINE, skredder.wake_workers
        ).operations
        self._quick |= ChannelChoices(skredder.database, COMMAND_LINE).operations
        self._long: dict[str, Callable[..., Any]] = {
            "evaluate": self.evaluate,
            "ingest": self.ingest,
            "sources.sync": self.sync_sources,
            "reindex": skredder.upkeep.reindex,
            "pairs.import": self.import_pairs,
            "train.run": self.train_run,
            "train.curve": self.train_curve,
            "train.challenge": self.train_challenge,
            **skredder.care.long,
        }

    def perform(
        self, name: str, arguments: dict[str, Any], on_progress: Progress = lambda _: None
    ) -> Any:
        """Do one operation. The result is made of plain values, ready for JSON.

        Raises:
            KeyError: there is no operation of this name.
            Exception: one of `USER_ERRORS` when the person can act on it.
        """
        if name in self._long:
            return self._long[name](on_progress=on_progress, **arguments)
        return self._quick[name](**arguments)

    def ask(self, question: str, user: str, channel: str) -> dict[str, Any]:
        """Answer a question and store it like one from Slack."""
        text = clean_question(question)
        audiences = {"everyone", channel} if channel else {"everyone"}
        outcome = self._skredder.answering.answer(text, audiences)
        with self._skredder.database.write() as session:
            question_id = questions.record(
                session,
                team_id="",
                channel=channel or COMMAND_LINE,
                ts=secrets.token_hex(12),
                thread_ts=secrets.token_hex(12),
                user_id=user,
                place="command",
                text=text,
            )
            assert question_id is not None
            answers.record(
                session,
                NewAnswer(
                    question_id=question_id,
                    status=outcome.status,
                    text=outcome.text,
                    model_version=outcome.model_version,
                    sources=outcome.sources,
                    pair_id=outcome.pair_id,
                    timings=outcome.timings,
                ),
            )
        return {
            "question": text,
            "answer": outcome.text,
            "status": outcome.status,
            "sources": [
                {
                    "n": source.n,
                    "title": source.title,
                    "uri": source.uri,
                    "heading": source.heading,
                    "updated_at": source.updated_at.isoformat() if source.updated_at else None,
                }
                for source in outcome.sources
                if source.cited or outcome.status == "abstained"
            ],
            "model_version": outcome.model_version,
            "timings": outcome.timings,
        }

    def search(self, query: str, limit: int, audience: str) -> list[dict[str, Any]]:
        """Find passages."""
        hits = self._skredder.retrieval.search(query, {audience}, limit=limit)
        return [
            {
                "rank": rank,
                "score": round(hit.score, 6),
                "uri": hit.uri,
                "title": hit.title,
                "heading": hit.heading,
                "text": hit.text,
                "audience": hit.audience,
            }
            for rank, hit in enumerate(hits, start=1)
        ]

    def ingest(
        self, path: str, audience: str, allow_deletions: bool = False, *, on_progress: Progress
    ) -> dict[str, Any]:
        """Read a source into the index, or bring it up to date."""
        return self._skredder.upkeep.ingest(
            path, audience, allow_deletions=allow_deletions, on_progress=on_progress
        )

    def sync_sources(self, *, on_progress: Progress) -> list[dict[str, Any]]:
        """Bring all sources up to date."""
        return self._skredder.upkeep.sync_all(on_progress)

    def remove_source(self, location: str, audience: str | None) -> list[dict[str, Any]]:
        """Remove a source with every trace."""
        return self._skredder.upkeep.remove(location, audience, COMMAND_LINE)

    def import_pairs(
        self,
        path: str,
        approve: bool,
        looked_at: str | None = None,
        not_personal: str | None = None,
        dry_run: bool = False,
        *,
        on_progress: Progress,
    ) -> dict[str, Any]:
        """Read a file of pairs, or only tell what would become of it."""
        if dry_run:
            found, skipped = self._skredder.pair_import.preview(
                Path(path),
                actor=COMMAND_LINE,
                looked_at=looked_at,
                not_personal=not_personal,
                on_progress=on_progress,
            )
            return asdict(found) | {"skipped": [asdict(row) for row in skipped]}
        report = self._skredder.pair_import.run(
            Path(path),
            actor=COMMAND_LINE,
            approve=approve,
            looked_at=looked_at,
            not_personal=not_personal,
            on_progress=on_progress,
        )
        self._skredder.wake_workers()
        return {
            "added": report.added,
            "known": report.known,
            "held": report.held,
            "personal": list(report.personal),
            "skipped": [asdict(row) for row in report.skipped],
        }

    def list_pairs(self, state: str | None, limit: int) -> list[dict[str, Any]]:
        """Show pairs, newest first."""
        with self._skredder.database.read() as session:
            if state == "review":
                return [_pair_json(pair) for pair in pairs.to_review(session, limit)]
            return [_pair_json(pair) for pair in pairs.listed(session, state, limit)]

    def approve_pair(self, pair_id: int) -> dict[str, Any]:
        """Approve a proposed pair."""
        return self._decided(self._skredder.corrections.approve(pair_id, COMMAND_LINE))

    def reject_pair(self, pair_id: int) -> dict[str, Any]:
        """Turn a proposed pair down."""
        return self._decided(self._skredder.corrections.reject(pair_id, COMMAND_LINE))

    def revoke_pair(self, pair_id: int) -> dict[str, Any]:
        """Take an approved pair back."""
        return self._decided(self._skredder.corrections.revoke(pair_id, COMMAND_LINE))

    def confirm_pair(self, pair_id: int) -> dict[str, Any]:
        """Say that a pair whose page changed is still right."""
        return self._decided(self._skredder.corrections.confirm(pair_id, COMMAND_LINE))

    def train_plan(self) -> dict[str, Any]:
        """Say whether tuning is worth it now, and what a run would take of this machine."""
        skredder = self._skredder
        training = skredder.settings.training
        recipe = recipe_of(training)
        wanted = plan_run(
            skredder.database, training, recipe, skredder.settings.knowledge.context_tokens
        )
        takes = skredder.retrainings.plan(
            int(wanted.tokens / recipe.epochs),
            hour_price=training.hour_price,
            currency=training.currency,
        )
        found = plan_json(skredder.database, skredder.settings)
        return found | {"takes": [*takes.lines(), wanted.rehearsed], "fits": takes.fits}

    def train_curve(self, most: int | None, *, on_progress: Progress) -> dict[str, Any]:
        """Train with growing parts of the pairs, and say whether more of them still help."""
        curve = self._skredder.retrainings.learning_curve(
            most or MOST,
            lambda done, total, name: on_progress({"done": done, "total": total, "name": name}),
        )
        return asdict(curve) | {"helps": curve.helps, "message": curve.message}

    def train_status(self, plot: str | None = None) -> dict[str, Any]:
        """Say where training stands, and draw the score on new questions into a file if wished.

        Raises:
                NoPlot: a plot is wished for, and there is none.
        """
        found = self._skredder.retrainings.status_json()
        found |= {"base": self._skredder.base.to_json()}
        if plot is not None:
            drawn = write_scores(self._skredder.retrainings.scores_over_time(), Path(plot))
            found |= {"plot": str(drawn)}
        return found

    def train_list(self) -> list[dict[str, Any]]:
        """List the versions."""
        return self._skredder.retrainings.versions_json()

    def train_run(self, *, on_progress: Progress) -> dict[str, Any]:
        """Start a run; without a bot to do it, do it here."""
        return self._skredder.start_run(COMMAND_LINE, secrets.token_hex(8), on_progress)

    def train_cancel(self) -> dict[str, Any]:
        """Stop the run that is under way."""
        return self._skredder.retrainings.cancel(COMMAND_LINE)

    def train_rollback(self, reason: str) -> dict[str, Any]:
        """Let the version before answer again."""
        version = self._skredder.retrainings.roll_back(COMMAND_LINE, reason)
        self._skredder.wake_workers()
        return {"version": version}

    def train_promote(self, version: str, reason: str) -> dict[str, Any]:
        """Let a version answer; one that the gate refused only with a written reason."""
        name = self._skredder.retrainings.promote(COMMAND_LINE, version, reason)
        self._skredder.wake_workers()
        return {"version": name}

    def train_withdraw(self, reason: str) -> dict[str, Any]:
        """End the trial of a version; the champion answers every thread."""
        return {"version": self._skredder.retrainings.withdraw(COMMAND_LINE, reason)}

    def train_retire(self, version: str, reason: str) -> dict[str, Any]:
        """Give a version up for good, and delete its files."""
        return {"version": self._skredder.retired.retire(COMMAND_LINE, version, reason)}

    def train_challenge(self, base: str, tuned: bool, *, on_progress: Progress) -> dict[str, Any]:
        """Measure another base model beside the version that answers."""
        challenging = build_challenging(self._skredder)
        enter = challenging.tuned if tuned else challenging.untuned
        return enter(base, COMMAND_LINE, on_progress).to_json()

    def train_schedule(self, line: str) -> dict[str, Any]:
        """Say when it is looked whether to train; with a cron line or `off`, change it."""
        schedule = RetrainSchedule(
            self._skredder.database, self._skredder.settings.training.schedule, lambda _: None
        )
        if line:
            schedule.change(line, COMMAND_LINE)
        following = schedule.following()
        return {
            "schedule": schedule.line(),
            "next": None if following is None else following.isoformat(),
        }

    def evaluate(
        self,
        version: str | None,
        against: str | None,
        ablation: bool,
        questions: str | None,
        limit: int | None,
        *,
        on_progress: Progress,
    ) -> dict[str, Any]:
        """Measure a version, or ways of answering; the answering champion stays who it is."""
        evaluating = build_evaluating(self._skredder)
        if not ablation and questions is None:
            return evaluating.version(version, against, limit, on_progress)
        return evaluating.ways(
            version,
            against,
            ablation=ablation,
            questions=None if questions is None else Path(questions),
            limit=limit,
            on_progress=on_progress,
        )

    def _decided(self, pair: Pair) -> dict[str, Any]:
        self._skredder.wake_workers()
        return _pair_json(pair)


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "id": pair.id,
        "input": pair.input,
        "output": pair.output,
        "state": pair.state,
        "split": pair.split,
        "author": pair.author,
        "audience": pair.audience,
        "language": pair.language,
        "created_at": pair.created_at.isoformat(),
    }
