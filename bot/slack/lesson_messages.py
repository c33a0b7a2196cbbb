"""Telling experts what a new version has learned from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused
from bot.slack.elements import section
from bot.slack.home_facts import corrections_in
from bot.slack.people import People
from bot.slack.questions import UNREACHABLE
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.words import Words
from bot.teams import id_in, team_in
from bot.worker import TryLater
from storage import jobs, lessons, outbox, pairs, runs, snapshots, versions
from storage.database import Database
from storage.jobs import Job
from storage.lessons import Lesson
from storage.runs import Run
from training.evaluation.agreement import agrees

log = logging.getLogger(__name__)

#: How many of one person's corrections are asked again; the newest.
MOST_ASKED = 40


@dataclass(frozen=True)
class LessonMessages:
    """Does `tell_lesson` jobs: asks the version that answers what an expert had corrected.

    The answers come from documents and the model alone: verified answers would only give each
    correction back.
    """

    database: Database
    calls: SlackCalls
    people: People
    answer_unaided: Callable[[str], str]
    bot_user_id: Callable[[str], str]

    def enqueue(self, session: Session, run: Run) -> None:
        """Have every expert told whose corrections a promoted run was trained on."""
        if run.state != "promoted" or run.snapshot_id is None:
            return
        trained = pairs.by_ids(session, snapshots.pair_ids(session, run.snapshot_id, "train"))
        authors = {pair.author for pair in trained if pair.origin == "slack"}
        for author in sorted(author for author in authors if author.isupper()):
            key = f"lesson:{run.id}:{author}"
            lesson = {"run_id": run.id, "author": author, "team_id": team_in(author)}
            jobs.enqueue(session, "tell_lesson", lesson, key=key)

    def tell(self, job: Job) -> None:
        """Ask, count, keep the count, and tell the expert; all of it once."""
        author = str(job.payload["author"])
        with self.database.read() as session:
            run = runs.get(session, int(job.payload["run_id"]))
            if run.snapshot_id is None or run.version_id is None:
                return
            version = versions.by_id(session, run.version_id).name
            theirs = corrections_in(session, author, run.snapshot_id)[-MOST_ASKED:]
            known = lessons.newest_of(session, author)
        if not theirs:
            return
        if known is None or known.version != version:
            answered = sum(agrees(self.answer_unaided(p.input), p.output) for p in theirs)
            known = Lesson(version, len(theirs), answered)
            with self.database.write() as session:
                lessons.record(session, author, known)
        try:
            self._post(job, author, known)
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except PostedTooRecently as wait:
            raise TryLater(wait.seconds, str(wait)) from wait
        except SlackRefused as refused:
            if refused.code not in UNREACHABLE:
                raise
            log.info("expert not told user=%s code=%s", author, refused.code)

    def _post(self, job: Job, author: str, lesson: Lesson) -> None:
        author = id_in(author)
        told = lesson_text(lesson, self.people.words(author))
        channel = str(self.calls.call("conversations_open", users=author)["channel"]["id"])
        reply = Reply(
            calls=self.calls,
            database=self.database,
            job=job,
            purpose="lesson",
            place=Place(channel, None, author, ""),
            bot_user_id=self.bot_user_id(self.calls.team_id),
            stream=False,
        )
        reply.open(None)
        ts = reply.finish(told, [section(told)])
        with self.database.write() as session:
            outbox.final(session, job, reply.message_as(ts))


def lesson_text(lesson: Lesson, say: Words) -> str:
    """Return what a version has learned from somebody, in a sentence."""
    return say.plural(
        "🎓 Your correction is in version {version}; it now answers {so} of it as you would.",
        "🎓 Your {count} corrections are in version {version}; it now answers {so} of them as you "
        "would.",
        lesson.corrections,
        version=lesson.version,
        so=say.number(lesson.answered_so),
    )
