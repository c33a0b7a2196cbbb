"""The job of answering: from a recorded question to an answer that stands in its thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bot.answering import Answering, Cancelled, Outcome
from bot.audiences import Audiences
from bot.inference.language_model import InferenceBusy, WaitedTooLong
from bot.question_text import QuestionUnusable, clean_question
from bot.slack import blocks
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.outsiders import Outsiders
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.worker import TryLater
from storage import answers, inbox, jobs, outbox, pairs, questions
from storage.answers import Answer, NewAnswer
from storage.database import Database
from storage.failpoints import failpoint
from storage.jobs import Job
from storage.questions import Question

log = logging.getLogger(__name__)

PLACEHOLDER = "_Looking in our documents…_"
STATUS = "is looking in our documents…"
_WAITING = "has many questions at once: yours is number {place} in the queue…"

_TOO_MANY = (
    "Sorry, so many ask at once that your turn has not come in time. Please ask again in a while."
)

_FAILED = (
    "Sorry, I could not answer this because of a fault on my side. It is recorded as {error_id}; "
    "tell an admin if you need it mended. Please ask again in a moment."
)


class QuestionJobs:
    """Answers recorded questions."""

    def __init__(
        self,
        *,
        database: Database,
        answering: Answering,
        calls: SlackCalls,
        audiences: Audiences,
        bot_user_id: str,
        stream: bool,
    ) -> None:
        """Take the collaborators; `stream` is whether to try Slack's streaming."""
        self._audiences = audiences
        self._outsiders = Outsiders(calls)
        self._database = database
        self._answering = answering
        self._calls = calls
        self._bot_user_id = bot_user_id
        self._stream = stream

    def answer(self, job: Job) -> None:
        """Do an `answer` job. Safe to repeat: a question keeps the one outcome it has."""
        question_id = int(job.payload["question_id"])
        with self._database.read() as session:
            question = questions.get(session, question_id)
            earlier = questions.earlier_in_thread(session, question)
            known = answers.of_question(session, question_id)
        try:
            reply = self._reply(job, question)
            if known is None:
                self._show_status(question)
            reply.open(PLACEHOLDER)
            if known is None:
                outcome = self._outcome(job, question, earlier, reply)
                known = self._store(question, outcome)
            self._show(job, question, reply, known)
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except PostedTooRecently as wait:
            raise TryLater(wait.seconds, str(wait)) from wait
        except InferenceBusy as busy:
            self._show_status(question, _WAITING.format(place=busy.waiting + 1))
            raise TryLater(busy.seconds, str(busy)) from busy

    def give_up(self, job: Job, error_id: str) -> None:
        """Tell the asker that there will be no answer, with the id to look it up by."""
        with self._database.read() as session:
            question = questions.get(session, int(job.payload["question_id"]))
        answer = self._store(
            question, Outcome("failed", _FAILED.format(error_id=error_id)), error_id=error_id
        )
        reply = self._reply(job, question, stream=False)
        reply.open(PLACEHOLDER)
        self._show(job, question, reply, answer, end_job=False)

    def _reply(self, job: Job, question: Question, *, stream: bool | None = None) -> Reply:
        return Reply(
            calls=self._calls,
            database=self._database,
            job=job,
            purpose="answer",
            place=Place(
                channel=question.channel,
                thread_ts=question.thread_ts,
                recipient=question.user_id,
                team_id=question.team_id,
            ),
            bot_user_id=self._bot_user_id,
            stream=self._stream if stream is None else stream,
        )

    def _show_status(self, question: Question, status: str = STATUS) -> None:
        """Say that somebody is at work. Not worth failing for."""
        try:
            self._calls.call(
                "assistant_threads_setStatus",
                channel_id=question.channel,
                thread_ts=question.thread_ts,
                status=status,
            )
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.debug("status not shown question=%d: %s", question.id, error)

    def _seen_by(self, job: Job, question: Question) -> frozenset[str]:
        """Return the audiences of the place the question was asked in, by the one who asked."""
        body: Mapping[str, Any] = {}
        if job.inbox_id is not None:
            with self._database.read() as session:
                body = inbox.payload_of(session, job.inbox_id)
        with_outsiders = bool(body.get("is_ext_shared_channel")) or self._outsiders.include(
            question.user_id, question.team_id
        )
        return self._audiences.of(question.channel, with_outsiders=with_outsiders)

    def _outcome(
        self, job: Job, question: Question, earlier: tuple[Question, ...], reply: Reply
    ) -> Outcome:
        try:
            text = clean_question(question.text)
        except QuestionUnusable as unusable:
            return Outcome("failed", str(unusable))
        thread = []
        for before in earlier:
            try:
                thread.append(clean_question(before.text))
            except QuestionUnusable:
                continue
        try:
            return self._answering.answer(
                text,
                self._seen_by(job, question),
                earlier=thread,
                asker=question.user_id,
                on_text=reply.append,
                on_place=lambda place: self._show_status(question, _WAITING.format(place=place)),
            )
        except Cancelled:
            return Outcome("failed", "Stopped, as you asked.")
        except WaitedTooLong:
            return Outcome("failed", _TOO_MANY)

    def _store(self, question: Question, outcome: Outcome, error_id: str | None = None) -> Answer:
        with self._database.write() as session:
            return answers.record(
                session,
                NewAnswer(
                    question_id=question.id,
                    status=outcome.status,
                    text=outcome.text,
                    model_version=outcome.model_version,
                    sources=outcome.sources,
                    pair_id=outcome.pair_id,
                    error_id=error_id
                    or (f"Q-{question.id}" if outcome.status == "failed" else None),
                    timings=outcome.timings,
                    channel=question.channel,
                ),
            )

    def _show(
        self, job: Job, question: Question, reply: Reply, answer: Answer, *, end_job: bool = True
    ) -> None:
        with self._database.read() as session:
            pair = pairs.get(session, answer.pair_id) if answer.pair_id else None
        failpoint("answer.before_final")
        ts = reply.finish(blocks.plain_text(answer), blocks.answer_blocks(answer, pair))
        failpoint("answer.after_final")
        with self._database.write() as session:
            outbox.final(session, job, reply.message_as(ts))
            answers.stands_in(session, answer.id, question.channel, ts)
            if end_job:
                jobs.finish(session, job)
        log.info(
            "question answered id=%d status=%s version=%s seconds=%s",
            question.id,
            answer.status,
            answer.model_version,
            answer.timings.get("total"),
        )
