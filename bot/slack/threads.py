"""Replies without a mention, in threads where the bot was asked: whom are they meant for?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.channel_choices import channel_scope
from bot.corrections import CorrectionRefused, Corrections
from bot.permissions import NotAllowed, Permissions
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused
from bot.slack.guard import Guard
from bot.slack.inbox import ask
from bot.slack.incoming import IncomingMessage, correction_in, goes_on_with_the_bot, message_in
from bot.slack.people import People
from bot.teams import id_in
from bot.worker import TryLater
from storage import answers, by_workspace, choices, handovers, inbox, jobs, pairs, questions
from storage.database import Database
from storage.handovers import Handover
from storage.jobs import Job

log = logging.getLogger(__name__)

#: How far back a thread is looked at, in seconds.
LOOKED_BACK = 7 * 86_400.0


@dataclass(frozen=True)
class Threads:
    """Does `hear_reply` jobs."""

    database: Database
    calls: SlackCalls
    guard: Guard
    people: People
    permissions: Permissions
    corrections: Corrections
    bot_user_id: Callable[[str], str]
    #: Who may see what is said in a channel of a workspace.
    audience_of: Callable[[str, str], str]
    wake_workers: Callable[[], None]

    def hear(self, job: Job) -> None:
        """Decide what a reply is: a correction, an expert's answer, a question, or not for us."""
        assert job.inbox_id is not None
        with self.database.read() as session:
            body = inbox.payload_of(session, job.inbox_id)
        team_id = str(body.get("team_id") or "")
        me = self.bot_user_id(team_id)
        message = message_in(body, me)
        if message is None:
            return
        better = correction_in(message.text)
        if better is not None:
            self._correct(message, better)
            return
        waiting = self._answered(message)
        if waiting:
            self._settle(job, message, waiting)
            return
        if not self._is_strict(message) and self._goes_on(message, me):
            with self.database.write() as session:
                ask(session, message, job.inbox_id)
            self.wake_workers()

    def _is_strict(self, message: IncomingMessage) -> bool:
        with self.database.read() as session:
            scope = channel_scope(message.team_id, message.channel)
            return choices.chosen(session, scope, "strict") == "on"

    def _goes_on(self, message: IncomingMessage, me: str) -> bool:
        with self.database.read() as session:
            askers = questions.askers_in_thread(
                session, message.team_id, message.channel, message.thread_ts
            )
        try:
            thread = self.calls.call(
                "conversations_replies",
                channel=message.channel,
                ts=message.thread_ts,
                oldest=f"{max(0.0, float(message.ts) - LOOKED_BACK):.6f}",
                latest=message.ts,
                inclusive=True,
                limit=200,
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except SlackRefused as refused:
            log.warning("thread not read channel=%s code=%s", message.channel, refused.code)
            return False
        return goes_on_with_the_bot(thread.get("messages") or [], message, me, askers)

    def _correct(self, message: IncomingMessage, better: str) -> None:
        """Take a `correction:` reply; its author is told what becomes of it."""
        say = self.people.words(message.user_id)
        with self.database.read() as session:
            here = self.guard.teams.ids_of(message.team_id)
            answer = by_workspace.answer_in_thread(
                session, here, message.channel, message.thread_ts
            )
        try:
            self.guard.require(message.user_id, "propose a correction", message.team_id)
            if answer is None:
                raise CorrectionRefused("There is no answer of mine in this thread to correct.")
            pair = self.corrections.correct(
                answer_id=answer.id,
                text=better,
                reason="wrong",
                user_id=self.guard.teams.name(message.team_id, message.user_id),
                key=f"reply:{message.team_id}:{message.channel}:{message.ts}",
                asked_in=self.audience_of(message.channel, message.team_id),
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except (CorrectionRefused, NotAllowed) as refused:
            self._whisper(message, say.told(refused))
            return
        self.wake_workers()
        if pair.state == "proposed":
            self._whisper(message, say("Thank you. An expert will look at it before it counts."))

    def _answered(self, message: IncomingMessage) -> tuple[Handover, ...]:
        """Return what waits in this thread, if this is somebody's answer to it."""
        with self.database.read() as session:
            waiting = handovers.waiting_in_thread(
                session, message.team_id, message.channel, message.thread_ts
            )
        person = self.guard.teams.name(message.team_id, message.user_id)
        return tuple(
            one
            for one in waiting
            if message.user_id not in (id_in(one.asked_by), one.question.user_id)
            and (message.user_id in one.asked_of or self.permissions.is_expert(person))
            and not message.text.rstrip().endswith("?")
        )

    def _settle(self, job: Job, message: IncomingMessage, waiting: tuple[Handover, ...]) -> None:
        """Note that an expert has answered, and have the asker told."""
        with self.database.write() as session:
            for one in waiting:
                if not handovers.settle(session, one.question.id, message.user_id):
                    continue
                payload = {
                    "question_id": one.question.id,
                    "expert": message.user_id,
                    "ts": message.ts,
                    "team_id": message.team_id,
                }
                key = f"answered:{one.question.id}"
                jobs.enqueue(session, "tell_answered", payload, key=key, inbox_id=job.inbox_id)
                jobs.enqueue(session, "refresh_handover", payload)
                answer = answers.of_question(session, one.question.id)
                if answer is not None:
                    jobs.enqueue(
                        session,
                        "refresh_answer",
                        {"answer_id": answer.id, "team_id": message.team_id},
                    )
        self.wake_workers()

    def _whisper(self, message: IncomingMessage, text: str) -> None:
        self.guard.whisper(
            {
                "user": {"id": message.user_id},
                "channel": {"id": message.channel},
                "message": {"thread_ts": message.thread_ts},
            },
            text,
        )


@dataclass(frozen=True)
class GoodReplies:
    """Does `adopt_reply` jobs: a colleague's reply becomes the answer to its thread's question."""

    database: Database
    calls: SlackCalls
    guard: Guard
    people: People
    corrections: Corrections
    audience_of: Callable[[str, str], str]
    bot_user_id: Callable[[str], str]
    wake_workers: Callable[[], None]

    def adopt(self, job: Job) -> None:
        """Adopt the reply that an expert ticked, or that somebody chose from its menu."""
        payload = job.payload
        user_id, team_id = str(payload["user_id"]), str(payload.get("team_id") or "")
        channel, ts = str(payload["channel"]), str(payload["ts"])
        teams = self.guard.teams
        person = teams.name(team_id, user_id)
        is_chosen = bool(payload.get("is_chosen"))
        if not is_chosen and not self.corrections.counts_at_once(person):
            return  # a tick means many things; only an expert's means "this is right"
        say = self.people.words(user_id)
        try:
            self.guard.require(user_id, "propose a correction", team_id)
            found = self._reply_and_question(team_id, channel, ts)
            if found is None:
                if is_chosen:
                    raise CorrectionRefused(
                        "Choose a colleague's reply in a thread that begins with a question."
                    )
                return
            reply, question, answer_id, asker = found
            pair = self.corrections.adopt(
                question=question,
                text=plain_text_of(str(reply.get("text") or "")),
                author=teams.name(team_id, str(reply["user"])),
                chosen_by=person,
                place=teams.name(team_id, channel),
                audience=self.audience_of(channel, team_id),
                key=f"reply:{team_id}:{channel}:{ts}",
                answer_id=answer_id,
                asked_by=asker and teams.name(team_id, asker),
            )
        except (CorrectionRefused, NotAllowed, pairs.PairChangeRefused) as refused:
            self._whisper(payload, say.told(refused))
            return
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        self.wake_workers()
        if pair.state == "approved":
            told = say(
                "Saved: whoever asks this again gets <@{user}>'s answer.", user=id_in(pair.author)
            )
        else:
            told = say("Thank you. An expert will look at it before it counts.")
        self._whisper(payload, told)

    def _reply_and_question(
        self, team_id: str, channel: str, ts: str
    ) -> tuple[Mapping[str, Any], str, int | None, str | None] | None:
        """Return a person's reply, its question, and the bot's own answer, else who asked."""
        found = self._messages(channel, ts)
        reply = next((m for m in found if m.get("ts") == ts), None)
        me = self.bot_user_id(team_id)
        if reply is None or reply.get("bot_id") or reply.get("user") in (None, me):
            return None
        root_ts = str(reply.get("thread_ts") or ts)
        if root_ts == ts:
            return None
        with self.database.read() as session:
            here = self.guard.teams.ids_of(team_id)
            answer = by_workspace.answer_in_thread(session, here, channel, root_ts)
            if answer is not None:
                return reply, questions.get(session, answer.question_id).text, answer.id, None
        root = next((m for m in self._messages(channel, root_ts) if m.get("ts") == root_ts), None)
        if root is None or root.get("bot_id"):
            return None
        return reply, str(root.get("text") or ""), None, root.get("user")

    def _messages(self, channel: str, ts: str) -> list[Mapping[str, Any]]:
        try:
            told = self.calls.call("conversations_replies", channel=channel, ts=ts, limit=1)
        except SlackRefused as refused:
            log.info("reply not found channel=%s code=%s", channel, refused.code)
            return []
        return list(told.get("messages") or [])

    def _whisper(self, payload: Mapping[str, Any], text: str) -> None:
        thread = payload.get("thread_ts") or payload["ts"]
        self.guard.whisper(
            {
                "user": {"id": payload["user_id"]},
                "channel": {"id": payload["channel"]},
                "message": {"thread_ts": thread},
            },
            text,
        )


def plain_text_of(text: str) -> str:
    """Return the text of a message as people read it: Slack's escapes and link marks undone."""
    import html
    import re

    text = re.sub(r"<((?:https?|mailto):[^>|]+)\|([^>]+)>", r"\2", text)
    text = re.sub(r"<((?:https?|mailto):[^>|]+)>", r"\1", text)
    text = re.sub(r"<[@#!][^>]*>", "", text)
    return html.unescape(text).strip()
