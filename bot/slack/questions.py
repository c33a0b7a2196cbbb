"""The job of answering: from a recorded question to an answer that stands where it was asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.answering import Answering, Cancelled, Outcome
from bot.audiences import Audiences
from bot.canary import thread_key
from bot.inference.language_model import InferenceBusy, WaitedTooLong
from bot.question_text import QuestionUnusable, clean_question, clean_questions
from bot.slack import blocks
from bot.slack.attachments import Attachments, unread_names
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.channels import Channels
from bot.slack.people import People
from bot.slack.private_reply import PrivateReply
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.sessions import Sessions
from bot.slack.words import Words
from bot.worker import TryLater
from storage import answers, handovers, inbox, jobs, outbox, pairs, questions, stops
from storage.answers import Answer, NewAnswer
from storage.database import Database
from storage.failpoints import failpoint
from storage.jobs import Job
from storage.questions import Question

log = logging.getLogger(__name__)

#: Places where only the asker sees the answer.
PRIVATE_PLACES = ("command", "shortcut")

#: Nobody can be written to there, now or later.
UNREACHABLE = frozenset(
    {
        "is_archived",
        "channel_not_found",
        "not_in_channel",
        "cannot_dm_user",
        "user_disabled",
        "account_inactive",
        "restricted_action",
        "restricted_action_read_only_channel",
    }
)


@dataclass(frozen=True)
class RateLimits:
    """How many questions a minute one person, and one channel, may ask."""

    person: int
    channel: int


class QuestionJobs:
    """Answers recorded questions."""

    def __init__(
        self,
        *,
        database: Database,
        answering: Answering,
        calls: SlackCalls,
        audiences: Audiences,
        people: People,
        channels: Channels,
        sessions: Sessions,
        limits: RateLimits,
        bot_user_id: Callable[[str], str],
        stream: bool,
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            answering: Answers.
            calls: Slack.
            audiences: What may be seen where.
            people: Who is who.
            channels: What a channel is.
            sessions: What is shown of the work, and who stopped it.
            limits: How much one may ask.
            bot_user_id: Who the bot is in a workspace.
            stream: Whether to try Slack's streaming.
        """
        self._database = database
        self._answering = answering
        self._calls = calls
        self._audiences = audiences
        self._people = people
        self._channels = channels
        self._sessions = sessions
        self._limits = limits
        self._bot_user_id = bot_user_id
        self._stream = stream
        self._attachments = Attachments(calls)

    def answer(self, job: Job) -> None:
        """Do an `answer` job. Safe to repeat: a question keeps the one outcome it has."""
        question_id = int(job.payload["question_id"])
        with self._database.read() as session:
            question = questions.get(session, question_id)
            earlier = questions.earlier_in_thread(session, question)
            known = answers.of_question(session, question_id)
        say = self._people.words(question.user_id)
        reply = self._reply(job, question)
        try:
            if known is None:
                self._sessions.begin(question, say("is looking in our documents…"))
            reply.open(say("_Looking in our documents…_"))
            if known is None:
                outcome = self._outcome(job, question, earlier, reply, say)
                known = self._store(question, outcome)
            self._show(job, question, reply, known, say)
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except PostedTooRecently as wait:
            raise TryLater(wait.seconds, str(wait)) from wait
        except InferenceBusy as busy:
            self._sessions.status(question, _queued(say, busy.waiting + 1))
            raise TryLater(busy.seconds, str(busy)) from busy
        except SlackRefused as refused:
            if refused.code not in UNREACHABLE:
                raise
            if known is None:
                direct = PrivateReply(self._calls, "", question.channel, question.user_id)
                known = self._store(question, self._outcome(job, question, earlier, direct, say))
            self._send_directly(job, question, known, say, refused.code)

    def refresh(self, job: Job) -> None:
        """Do a `refresh_answer` job: show what has become of an answer since."""
        with self._database.read() as session:
            answer = answers.get(session, int(job.payload["answer_id"]))
            question = questions.get(session, answer.question_id) if answer else None
        if answer is None or question is None or not answer.message_ts or not answer.channel:
            return
        shown = self._shown(answer, (), is_private=False)
        try:
            self._calls.call(
                "chat_update",
                channel=answer.channel,
                ts=answer.message_ts,
                text=blocks.plain_text(answer),
                blocks=blocks.answer_blocks(shown, self._people.words(question.user_id)),
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except SlackRefused as refused:
            log.info("answer not refreshed answer=%d code=%s", answer.id, refused.code)

    def give_up(self, job: Job, error_id: str) -> None:
        """Tell the asker that there will be no answer, with the id to look it up by."""
        with self._database.read() as session:
            question = questions.get(session, int(job.payload["question_id"]))
        say = self._people.words(question.user_id)
        sorry = say(
            "Sorry, I could not answer this because of a fault on my side. It is recorded as "
            "{error_id}; tell an admin if you need it mended. Please ask again in a moment.",
            error_id=error_id,
        )
        answer = self._store(question, Outcome("failed", sorry), error_id=error_id)
        reply = self._reply(job, question, stream=False)
        try:
            reply.open(say("_Looking in our documents…_"))
            self._show(job, question, reply, answer, say, end_job=False)
        except SlackRefused as refused:
            if refused.code not in UNREACHABLE:
                raise

    def _reply(
        self, job: Job, question: Question, *, stream: bool | None = None
    ) -> Reply | PrivateReply:
        if question.place in PRIVATE_PLACES:
            body = self._body(job)
            url = str(body.get("response_url") or "")
            return PrivateReply(self._calls, url, question.channel, question.user_id)
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
            bot_user_id=self._bot_user_id(question.team_id),
            stream=self._stream if stream is None else stream,
        )

    def _body(self, job: Job) -> Mapping[str, Any]:
        if job.inbox_id is None:
            return {}
        with self._database.read() as session:
            return inbox.payload_of(session, job.inbox_id)

    def _seen_by(self, job: Job, question: Question) -> frozenset[str]:
        """Return the audiences of the place the question was asked in, by the one who asked."""
        place = self._channels.facts(question.channel)
        is_outsider = self._people.who(question.user_id, question.team_id).is_outsider
        if question.place in PRIVATE_PLACES:
            # Only the asker reads it, wherever they are; so it is they who count.
            return self._audiences.of(
                question.channel,
                with_outsiders=is_outsider,
                is_private=place.is_private and place.is_seen,
                team_id=question.team_id,
            )
        is_shared = bool(self._body(job).get("is_ext_shared_channel")) or place.is_shared
        return self._audiences.of(
            question.channel,
            with_outsiders=is_outsider or is_shared,
            is_private=place.is_private,
            team_id=question.team_id,
        )

    def _outcome(
        self,
        job: Job,
        question: Question,
        earlier: tuple[Question, ...],
        reply: Reply | PrivateReply,
        say: Words,
    ) -> Outcome:
        with self._database.read() as session:
            by_person, in_channel = questions.asked_lately(session, question, 60.0)
        if by_person > self._limits.person or in_channel > self._limits.channel:
            return Outcome("failed", self._too_many(by_person, say))
        attached = self._attachments.text_of(_files(self._body(job)))
        try:
            text = clean_question(f"{question.text}\n\n{attached}" if attached else question.text)
        except QuestionUnusable as unusable:
            return Outcome("failed", say.told(unusable))
        thread = clean_questions(before.text for before in earlier)
        if self._is_stopped(question):
            return Outcome("failed", say("Stopped, as you asked."))
        try:
            return self._answering.answer(
                text,
                self._seen_by(job, question),
                earlier=thread,
                asker=question.user_id,
                thread=thread_key(question.team_id, question.channel, question.thread_ts),
                on_text=reply.append,
                on_place=lambda place: self._sessions.status(question, _queued(say, place)),
                is_cancelled=lambda: self._sessions.is_stopped(question),
            )
        except Cancelled:
            shown = reply.text.strip()
            stopped = say("Stopped, as you asked.")
            return Outcome("failed", f"{shown}\n\n{stopped}" if shown else stopped)
        except WaitedTooLong:
            return Outcome(
                "failed",
                say(
                    "Sorry, so many ask at once that your turn has not come in time. "
                    "Please ask again in a while."
                ),
            )

    def _too_many(self, by_person: int, say: Words) -> str:
        if by_person > self._limits.person:
            return say.plural(
                "You have asked {count} question within a minute; please wait a little.",
                "You have asked {count} questions within a minute; please wait a little.",
                by_person,
            )
        return say("So much is asked in this channel just now; please wait a minute.")

    def _is_stopped(self, question: Question) -> bool:
        with self._database.read() as session:
            return stops.is_stopped(session, question)

    def _store(self, question: Question, outcome: Outcome, error_id: str | None = None) -> Answer:
        if error_id is None and outcome.status == "failed":
            error_id = blocks.STOPPED if self._is_stopped(question) else f"Q-{question.id}"
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
                    error_id=error_id,
                    timings=outcome.timings,
                    channel=question.channel,
                ),
            )

    def _shown(self, answer: Answer, unread: tuple[str, ...], *, is_private: bool) -> blocks.Shown:
        with self._database.read() as session:
            return blocks.Shown(
                answer=answer,
                pair=pairs.get(session, answer.pair_id) if answer.pair_id else None,
                owners=answers.owners_of(session, {s.uri for s in answer.sources}),
                unread=unread,
                handover=handovers.of_question(session, answer.question_id),
                is_private=is_private,
            )

    def _show(
        self,
        job: Job,
        question: Question,
        reply: Reply | PrivateReply,
        answer: Answer,
        say: Words,
        *,
        end_job: bool = True,
    ) -> None:
        unread = unread_names(_files(self._body(job)))
        shown = self._shown(answer, unread, is_private=question.place in PRIVATE_PLACES)
        failpoint("answer.before_final")
        ts = reply.finish(
            blocks.plain_text(answer), blocks.answer_blocks(shown, say), blocks.details(answer)
        )
        failpoint("answer.after_final")
        with self._database.write() as session:
            if ts is not None and isinstance(reply, Reply):
                outbox.final(session, job, reply.message_as(ts))
                answers.stands_in(session, answer.id, question.channel, ts)
                if handovers.of_question(session, question.id) is not None:
                    # A button was pressed before SQL knew where the answer stands.
                    again = {"answer_id": answer.id, "team_id": question.team_id}
                    jobs.enqueue(session, "refresh_answer", again)
            if end_job:
                jobs.finish(session, job)
        self._sessions.end(question)
        log.info(
            "question answered id=%d status=%s version=%s seconds=%s",
            question.id,
            answer.status,
            answer.model_version,
            answer.timings.get("total"),
        )

    def _send_directly(
        self, job: Job, question: Question, answer: Answer, say: Words, code: str
    ) -> None:
        """Give an answer to the asker alone: the place it was asked in cannot be written to."""
        log.warning("place cannot be written to question=%d code=%s", question.id, code)
        if not question.channel.startswith("D"):
            direct = PrivateReply(self._calls, "", question.channel, question.user_id)
            shown = self._shown(answer, (), is_private=False)
            try:
                direct.finish(blocks.plain_text(answer), blocks.answer_blocks(shown, say))
            except (SlackRefused, SlackUncertain) as error:
                log.warning("asker cannot be written to question=%d: %s", question.id, error)
        with self._database.write() as session:
            jobs.finish(session, job)


def _files(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the files of the message that an event or a shortcut is about."""
    message = body.get("event") or body.get("message") or {}
    return list(message.get("files") or [])


def _queued(say: Words, place: int) -> str:
    return say("has many questions at once: yours is number {place} in the queue…", place=place)
