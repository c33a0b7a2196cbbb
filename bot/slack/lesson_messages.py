"""Telling experts what a new version has learned from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.answering import Outcome
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused
from bot.slack.elements import section
from bot.slack.home_facts import corrections_in
from bot.slack.people import People
from bot.slack.questions import UNREACHABLE
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.slack.words import Words
from bot.teams import id_in
from bot.worker import TryLater
from storage import lessons, outbox, runs, versions
from storage.clock import utc_now
from storage.database import Database
from storage.jobs import Job
from storage.lessons import Lesson
from training.evaluation.agreement import agrees

log = logging.getLogger(__name__)

#: How many of one person's corrections are asked again; the newest.
MOST_ASKED = 40

#: How long a version may take until it answers, and how often it is asked meanwhile, in seconds.
PATIENCE = timedelta(hours=1)
OPENING_SECONDS = 5.0


@dataclass(frozen=True)
class LessonMessages:
    """Does `tell_lesson` jobs: asks the version that answers what an expert had corrected.

    The answers come from documents and the model alone: verified answers would only give each
    correction back.
    """

    database: Database
    calls: SlackCalls
    people: People
    answer_unaided: Callable[[str], Outcome]
    bot_user_id: Callable[[str], str]

    def tell(self, job: Job) -> None:
        """Ask, count, keep the count, and tell the expert; all of it once.

        Of a version that no longer answers nothing is told.

        Raises:
            TryLater: Slack is busy, or the version's engine is still being opened.
        """
        author = str(job.payload["author"])
        with self.database.read() as session:
            run = runs.get(session, int(job.payload["run_id"]))
            if run.snapshot_id is None or run.version_id is None:
                return
            version = versions.by_id(session, run.version_id).name
            if versions.serving(session).version.name != version:
                log.info("lesson not told, another version answers version=%s", version)
                return
            theirs = corrections_in(session, author, run.snapshot_id)[-MOST_ASKED:]
            known = lessons.newest_of(session, author)
        if not theirs:
            return
        if known is None or known.version != version:
            said = [self.answer_unaided(pair.input) for pair in theirs]
            if any(answer.model_version not in (None, version) for answer in said):
                if utc_now() - job.created_at < PATIENCE:
                    raise TryLater(OPENING_SECONDS, f"{version} is being opened")
                log.warning("lesson not told, the version does not open version=%s", version)
                return
            answered = sum(
                agrees(answer.text, pair.output) for answer, pair in zip(said, theirs, strict=True)
            )
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
