"""Telling an asker that an expert has an answer, and experts that somebody needs one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.permissions import Permissions
from bot.slack import blocks
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused
from bot.slack.elements import Block, context, section
from bot.slack.people import People
from bot.slack.questions import PRIVATE_PLACES, UNREACHABLE
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.sessions import Sessions
from bot.slack.text import safe_mrkdwn, shortened
from bot.teams import id_in
from bot.worker import TryLater
from storage import answers, handover_messages, handovers, jobs, outbox, pairs, questions
from storage.database import Database
from storage.jobs import Job
from storage.questions import Question

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairMessages:
    """Does `tell_asker`, `hand_over`, `refresh_handover` and `tell_answered` jobs."""

    database: Database
    calls: SlackCalls
    people: People
    permissions: Permissions
    sessions: Sessions
    bot_user_id: Callable[[str], str]

    def tell_asker(self, job: Job) -> None:
        """Post the better answer in the thread of the question, once."""
        with self.database.read() as session:
            pair = pairs.get(session, int(job.payload["pair_id"]))
            answer = answers.get(session, pair.answer_id) if pair.answer_id else None
            question = questions.get(session, answer.question_id) if answer else None
        if question is None or answer is None or not question.team_id:
            return  # asked on the command line: there is nobody to be told in Slack
        with self.calls.acting_for(question.team_id):
            say = self.people.words(question.user_id)
            self._post(
                job,
                question,
                "better answer",
                say("A better answer:") + " " + safe_mrkdwn(pair.output),
                blocks.corrected_blocks(pair.author, question.user_id, pair, say),
            )
        with self.database.write() as session:
            if handovers.settle(session, question.id, id_in(pair.author)):
                team = {"team_id": question.team_id}
                jobs.enqueue(session, "refresh_answer", {"answer_id": answer.id, **team})
                jobs.enqueue(session, "refresh_handover", {"question_id": question.id, **team})
        with self.calls.acting_for(question.team_id):
            self.sessions.mark(question, "active")

    def hand_over(self, job: Job) -> None:
        """Ask experts for an answer, in the thread of the question; mark it as waiting."""
        with self.database.read() as session:
            handover = handovers.of_question(session, int(job.payload["question_id"]))
            answer = answers.of_question(session, int(job.payload["question_id"]))
        if handover is None or answer is None:
            return
        question = handover.question
        say = self.people.words(question.user_id)
        self._post(
            job,
            question,
            handover_messages.PURPOSE,
            say("Somebody needs an expert's answer."),
            blocks.handed_over_blocks(handover, answer.id, say),
            beside=handover.asked_of,
        )
        self.sessions.mark(question, "suspended")
        self._see_whether_answered(question)

    def _see_whether_answered(self, question: Question) -> None:
        """Somebody may answer while it is being noted where people were asked."""
        with self.database.write() as session:
            handover = handovers.of_question(session, question.id)
            if handover is None or handover.is_waiting:
                return
            payload = {"question_id": question.id, "team_id": question.team_id}
            jobs.enqueue(session, "refresh_handover", payload)
        self.sessions.mark(question, "active")

    def refresh_handover(self, job: Job) -> None:
        """Show where experts were asked that one has answered: nobody is to answer any more."""
        with self.database.read() as session:
            handover = handovers.of_question(session, int(job.payload["question_id"]))
            asked = handover_messages.of_question(session, int(job.payload["question_id"]))
        if handover is None or handover.is_waiting or asked is None:
            return
        say = self.people.words(handover.question.user_id)
        expert = handover.answered_by or ""
        try:
            self.calls.call(
                "chat_update",
                channel=asked.channel,
                ts=asked.ts,
                text=say("✅ Answered by <@{expert}>.", expert=expert),
                blocks=blocks.answered_by_people_blocks(handover, expert, say),
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except SlackRefused as refused:
            log.info("not shown as answered handover=%d code=%s", handover.id, refused.code)

    def tell_answered(self, job: Job) -> None:
        """Ping the asker: an expert has answered in the thread."""
        with self.database.read() as session:
            question = questions.get(session, int(job.payload["question_id"]))
        say = self.people.words(question.user_id)
        text = say(
            "<@{asker}> <@{expert}> has answered you above.",
            asker=question.user_id,
            expert=str(job.payload["expert"]),
        )
        hint = say("Experts: a ✅ on the reply makes it what I answer from now on.")
        self._post(job, question, "answered", text, [section(text), context([hint])])
        self.sessions.mark(question, "active")

    def _post(
        self,
        job: Job,
        question: Question,
        purpose: str,
        text: str,
        shown: list[Block],
        *,
        beside: tuple[str, ...] = (),
    ) -> None:
        """Post a message where a question was asked; what was asked in private stays so."""
        try:
            place = Place(question.channel, question.thread_ts, question.user_id, question.team_id)
            if question.place in PRIVATE_PLACES:
                people = sorted({question.user_id, *beside})
                opened = self.calls.call("conversations_open", users=",".join(people))
                channel = str(opened["channel"]["id"])
                place = Place(channel, None, question.user_id, question.team_id)
            reply = Reply(
                calls=self.calls,
                database=self.database,
                job=job,
                purpose=purpose,
                place=place,
                bot_user_id=self.bot_user_id(question.team_id),
                stream=False,
            )
            reply.open(None)
            ts = reply.finish(shortened(text, 3_900), shown)
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except PostedTooRecently as wait:
            raise TryLater(wait.seconds, str(wait)) from wait
        except SlackRefused as refused:
            if refused.code not in UNREACHABLE:
                raise
            log.warning("nobody can be told job=%d code=%s", job.id, refused.code)
            return
        with self.database.write() as session:
            outbox.final(session, job, reply.message_as(ts))
