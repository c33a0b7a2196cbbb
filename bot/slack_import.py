"""From a Slack export to proposed pairs: threads in which somebody trusted answered a question.

Nothing is approved here. A thread that was proposed before is known by its question and answer, so
that the same export, or a later one, adds only what is new.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.corrections import Corrections
from bot.question_text import QuestionUnusable, clean_question
from knowledge.language import detect_language
from knowledge.listing import Skipped
from knowledge.sources.export_files import ExportFiles, open_export
from knowledge.sources.slack_talk import (
    Channel,
    OpenedExport,
    open_talks,
    permalink,
    read_talks,
)
from knowledge.sources.slack_threads import AnsweredThread, find_answers
from storage import pairs
from storage.database import Database
from storage.pairs import NewPair
from storage.written import asked_by

#: Where pairs of an export come from.
ORIGIN = "slack-export"

#: Pairs stored in one transaction: few enough to hold nobody up.
BATCH = 25

#: How many proposals a report shows.
SHOWN = 10

#: A reply longer than this is a document, in characters.
LONGEST_ANSWER = 9_000

Progress = Callable[[dict[str, Any]], None]


class NobodyTrusted(Exception):
    """Nobody is named whose answers would be worth a proposal; the message says what to do."""


@dataclass(frozen=True)
class ThreadPair:
    """A thread as a pair.

    Attributes:
        pair: What is proposed.
        asked_by: Who asked, by name.
        answered_by: Who answered, by name.
        where: The channel's name.
        link: Where the thread stands in Slack, if the workspace's address is known.
        is_confirmed: Whether the asker thanked for the answer or marked it as right.
    """

    pair: NewPair
    asked_by: str
    answered_by: str
    where: str
    link: str | None
    is_confirmed: bool


@dataclass(frozen=True)
class SlackImportReport:
    """What became of an export's threads.

    Attributes:
        threads: How many first messages there were.
        found: How many threads are proposals.
        added: How many of them were stored now; none in a dry run.
        known: How many were stored before.
        held: How many of those stored now wait for an expert for a reason beside approval.
        confirmed: How many of those found the asker thanked for.
        left_out: How many threads are none, by reason.
        unread: What in the export could not be read, or may not be, and why.
        shown: The first few of those that are new.
    """

    threads: int
    found: int
    added: int
    known: int
    held: int
    confirmed: int
    left_out: dict[str, int]
    unread: tuple[Skipped, ...]
    shown: tuple[ThreadPair, ...]


class SlackImport:
    """Proposes the answered threads of an export; run twice, or half, it proposes each once."""

    def __init__(
        self,
        database: Database,
        corrections: Corrections,
        *,
        is_expert: Callable[[str], bool],
        workspace_url: str = "",
    ) -> None:
        """Take the collaborators.

        Args:
            database: Where pairs are.
            corrections: Proposes pairs, with all that is looked at first.
            is_expert: Whose answers are trusted when nobody is named.
            workspace_url: Where the workspace is, for links to threads.
        """
        self._database = database
        self._corrections = corrections
        self._is_expert = is_expert
        self._workspace_url = workspace_url

    def run(
        self,
        path: Path,
        *,
        channels: Collection[str] = (),
        trusted: Collection[str] = (),
        is_dry: bool = False,
        on_progress: Progress = lambda _: None,
    ) -> SlackImportReport:
        """Propose the answered threads of an export.

        Args:
            path: The export: a zip file, or the folder it was unpacked to.
            channels: The channels to read, private ones too; all public ones if empty.
            trusted: Whose answers count, by id or by name; the experts of the settings if empty.
            is_dry: Whether only to tell what would be proposed.
            on_progress: Called with `done`, `total` and `name`.

        Raises:
            SourceMissing: there is no export, or no such channel in it.
            NobodyTrusted: nobody in the export is trusted.
        """
        unread: list[Skipped] = []
        files = open_export(path)
        export = open_talks(files, unread)
        is_trusted = self._trusted_in(export, files, trusted)
        left_out: Counter[str] = Counter()
        found: list[ThreadPair] = []
        for each in self._threads(export, channels, is_trusted, unread, left_out):
            found.append(each)
            on_progress({"done": 0, "total": None, "name": f"{len(found)} answers found"})
        with self._database.read() as session:
            fresh = [t for t in found if not pairs.is_known(session, t.pair.origin_key)]
        added = held = 0
        for start in range(0, 0 if is_dry else len(fresh), BATCH):
            batch = [thread.pair for thread in fresh[start : start + BATCH]]
            findings = self._corrections.look_at(batch)
            with self._database.write() as session:
                for pair, found_in_it in zip(batch, findings, strict=True):
                    is_new = not pairs.is_known(session, pair.origin_key)
                    stored = self._corrections.propose_in(session, pair, found_in_it)
                    added, held = added + is_new, held + (is_new and bool(stored.holds))
            on_progress({"done": start + len(batch), "total": len(fresh), "name": path.name})
        return SlackImportReport(
            threads=len(found) + left_out.total(),
            found=len(found),
            added=added,
            known=len(found) - len(fresh),
            held=held,
            confirmed=sum(each.is_confirmed for each in found),
            left_out=dict(left_out.most_common()),
            unread=tuple(unread),
            shown=tuple(fresh[:SHOWN]),
        )

    def _trusted_in(
        self, export: OpenedExport, files: ExportFiles, trusted: Collection[str]
    ) -> Callable[[str], bool]:
        people = export.workspace.people
        by_name = {name.casefold(): user for user, name in people.items()}
        wanted = {name: by_name.get(name.lstrip("@").casefold(), name) for name in trusted}
        strangers = [name for name, user in wanted.items() if user not in people]
        if strangers:
            raise NobodyTrusted(
                f"{', '.join(strangers)} is not among the people in {files.location}. Give ids or "
                "names as the export has them."
            )
        chosen = set(wanted.values()) or {user for user in people if self._is_expert(user)}
        if not chosen:
            raise NobodyTrusted(
                f"No expert of the settings is among the people in {files.location}. Name those "
                "whose answers count with --trusted, by id or by name."
            )
        return chosen.__contains__

    def _threads(
        self,
        export: OpenedExport,
        channels: Collection[str],
        is_trusted: Callable[[str], bool],
        unread: list[Skipped],
        left_out: Counter[str],
    ) -> Iterator[ThreadPair]:
        for each in read_talks(export, channels, unread):
            for thread in find_answers(each.talk, is_trusted):
                if not isinstance(thread, AnsweredThread):
                    left_out[thread.reason] += 1
                    continue
                try:
                    yield thread_pair(thread, each.channel, self._workspace_url)
                except QuestionUnusable:
                    left_out["the question has no words, or too many"] += 1
                except _AnswerUnusable as unusable:
                    left_out[str(unusable)] += 1


class _AnswerUnusable(Exception):
    """The reply is no answer that can be stored; the message says why."""


def thread_pair(thread: AnsweredThread, channel: Channel, workspace_url: str = "") -> ThreadPair:
    """Return an answered thread as a pair to be proposed.

    What was said in a channel that not everybody can read is for that channel only.

    Raises:
        QuestionUnusable: the question has no words, or is a document.
    """
    asked = clean_question(thread.question.raw)
    written = "\n".join(message.text for message in thread.answer if message.text)
    answer = html.unescape(written).strip()
    if not answer:
        raise _AnswerUnusable("the reply is only a file")
    if len(answer) > LONGEST_ANSWER:
        raise _AnswerUnusable("the reply is a document")
    reply = thread.answer[0]
    link = permalink(workspace_url, channel, thread.question.ts)
    asker = asked_by(thread.question.user)
    said = f"{asker}, answered in #{channel.name} on {reply.moment:%Y-%m-%d}"
    where = f"{said}: {link}" if link else f"{said}, thread {thread.question.ts}."
    identity = json.dumps([channel.id, thread.question.ts, asked, answer], ensure_ascii=False)
    return ThreadPair(
        pair=NewPair(
            input=asked,
            output=answer,
            author=reply.user,
            origin=ORIGIN,
            origin_key=f"{ORIGIN}:{hashlib.sha256(identity.encode()).hexdigest()}",
            language="no" if detect_language(asked) == "no" else "en",
            audience="everyone" if channel.is_open else channel.id or channel.name,
            reason=where,
            asked_by=thread.question.user or None,
            created_at=reply.moment,
            place=channel.id or None,
        ),
        asked_by=thread.question.author,
        answered_by=reply.author,
        where=channel.name,
        link=link,
        is_confirmed=thread.is_confirmed,
    )
