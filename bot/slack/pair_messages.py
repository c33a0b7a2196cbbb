"""Telling an asker that an expert has a better answer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.slack import blocks
from bot.slack.calls import SlackBusy, SlackCalls
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.text import safe_mrkdwn, shortened
from bot.worker import TryLater
from storage import answers, outbox, pairs, questions
from storage.database import Database
from storage.jobs import Job


@dataclass(frozen=True)
class PairMessages:
    """Does `tell_asker` jobs."""

    database: Database
    calls: SlackCalls
    bot_user_id: str

    def tell_asker(self, job: Job) -> None:
        """Post the better answer in the thread of the question, once."""
        with self.database.read() as session:
            pair = pairs.get(session, int(job.payload["pair_id"]))
            answer = answers.get(session, pair.answer_id) if pair.answer_id else None
            question = questions.get(session, answer.question_id) if answer else None
        if question is None or question.place == "command":
            return
        reply = Reply(
            calls=self.calls,
            database=self.database,
            job=job,
            purpose="better answer",
            place=Place(question.channel, question.thread_ts, question.user_id, question.team_id),
            bot_user_id=self.bot_user_id,
            stream=False,
        )
        expert = pair.author
        try:
            reply.open(None)
            ts = reply.finish(
                shortened(f"A better answer: {safe_mrkdwn(pair.output)}", 3_900),
                blocks.corrected_blocks(expert, question.user_id, pair),
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except PostedTooRecently as wait:
            raise TryLater(wait.seconds, str(wait)) from wait
        with self.database.write() as session:
            outbox.final(session, job, reply.message_as(ts))
