"""Asking where there is no thread: `/ask`, a message's menu, the agent pane; and sharing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt import Ack, App

from bot.audiences import Audiences
from bot.permissions import Permissions
from bot.slack import blocks
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused
from bot.slack.channels import Channels
from bot.slack.guard import Body, Guard, team_of, user_of
from bot.slack.inbox import ask
from bot.slack.incoming import IncomingMessage
from bot.slack.people import People
from bot.slack.reply import Place, PostedTooRecently, Reply
from bot.worker import TryLater
from storage import answers, handover_messages, handovers, inbox, jobs, outbox, pairs, questions
from storage.database import Database
from storage.jobs import Job

log = logging.getLogger(__name__)

ASK_COMMAND = "/ask"
ASK_ABOUT, SAVE_REPLY = "ask_about", "save_reply"


@dataclass(frozen=True)
class Asking:
    """Listeners for questions that are no messages; each is committed before Slack is answered."""

    database: Database
    guard: Guard
    people: People
    permissions: Permissions
    wake_workers: Callable[[], None]

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        app.command(ASK_COMMAND)(self.guard.lets("ask", self.ask))
        app.shortcut(ASK_ABOUT)(self.guard.lets("ask", self.ask_about))
        app.shortcut(SAVE_REPLY)(self.guard.lets("propose a correction", self.save_reply))
        app.action(blocks.SHARE)(self.guard.lets("share an answer", self.share))
        app.action(blocks.ASK_EXPERT)(self.guard.lets("ask an expert", self.ask_expert))

    def ask(self, ack: Ack, body: Body, payload: Body) -> None:
        """Take a question from `/ask`; only the asker sees the answer."""
        say = self.people.words_at_hand(user_of(body))
        if not str(payload.get("text") or "").strip():
            ack(text=say("Write your question behind it: `/ask how many days of leave do I get?`"))
            return
        self._record(body, "command", str(payload["text"]), str(body["channel_id"]))
        ack(text=say("_Looking in our documents…_"))
        self.wake_workers()

    def ask_about(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Take a message as a question; only the one who asks about it sees the answer."""
        message = body.get("message") or {}
        self._record(body, "shortcut", str(message.get("text") or ""), body["channel"]["id"])
        ack()
        self.wake_workers()

    def _record(self, body: Body, place: str, text: str, channel: str) -> None:
        key = f"{place}:{body['trigger_id']}"
        message = body.get("message") or {}
        with self.database.write() as session:
            inbox_id = inbox.accept(session, key, place, team_of(body), body)
            if inbox_id is None:
                return
            ask(
                session,
                IncomingMessage(
                    team_id=team_of(body),
                    channel=channel,
                    ts=key,
                    thread_ts=str(message.get("thread_ts") or message.get("ts") or key),
                    user_id=user_of(body),
                    place=place,
                    text=text,
                ),
                inbox_id,
            )

    def save_reply(self, ack: Ack, body: Body, _payload: Body) -> None:
        """Make a colleague's reply an answer, chosen from its menu."""
        message = body.get("message") or {}
        job = {
            "user_id": user_of(body),
            "team_id": team_of(body),
            "channel": body["channel"]["id"],
            "ts": str(message.get("ts")),
            "thread_ts": str(message.get("thread_ts") or message.get("ts")),
            "is_chosen": True,
        }
        self._enqueue(body, "adopt_reply", job)
        ack()
        self.wake_workers()

    def share(self, ack: Ack, body: Body, payload: Body) -> None:
        """Show the channel an answer that only one person saw."""
        container = body.get("container") or {}
        job = {
            "answer_id": int(payload["value"]),
            "user_id": user_of(body),
            "team_id": team_of(body),
            "channel": str((body.get("channel") or {}).get("id")),
            "thread_ts": container.get("thread_ts"),
        }
        self._enqueue(body, "share_answer", job)
        ack()
        self.wake_workers()

    def ask_expert(self, ack: Ack, body: Body, payload: Body) -> None:
        """Hand a question to people; the second press changes nothing."""
        user_id, team_id = user_of(body), team_of(body)
        is_first = False
        with self.database.write() as session:
            answer = answers.get(session, int(payload["value"]))
            question = questions.get(session, answer.question_id) if answer else None
            if answer and question and self.guard.is_here(body, question.team_id):
                place = self.guard.teams.name(question.team_id, question.channel)
                experts = self.permissions.routed(place, question.text)
                person = self.guard.person_of(body)
                is_first = handovers.begin(session, question.id, person, experts)
                if is_first:
                    handover_messages.enqueue(session, question.id, team_id)
                    again = {"answer_id": answer.id, "team_id": team_id}
                    jobs.enqueue(session, "refresh_answer", again)
        ack()
        self.wake_workers()
        if not is_first:
            say = self.people.words(user_id)
            self.guard.whisper(body, say("The experts have been asked already."))

    def _enqueue(self, body: Body, kind: str, job: Body) -> None:
        key = f"{kind}:{body.get('trigger_id')}"
        with self.database.write() as session:
            jobs.enqueue(session, kind, job, key=key)


@dataclass(frozen=True)
class AskingJobs:
    """Does `share_answer` and `suggest_questions` jobs."""

    database: Database
    calls: SlackCalls
    guard: Guard
    people: People
    channels: Channels
    audiences: Audiences
    suggested: tuple[str, ...]
    bot_user_id: Callable[[str], str]

    def share(self, job: Job) -> None:
        """Post an answer for all, unless it rests on what not all there may see."""
        payload = job.payload
        user_id, channel = str(payload["user_id"]), str(payload["channel"])
        with self.database.read() as session:
            answer = answers.get(session, int(payload["answer_id"]))
            if answer is None:
                return
            question = questions.get(session, answer.question_id)
            shown = blocks.Shown(
                answer=answer,
                pair=pairs.get(session, answer.pair_id) if answer.pair_id else None,
                owners=answers.owners_of(session, {s.uri for s in answer.sources}),
            )
        say = self.people.words(user_id)
        teams = self.guard.teams
        is_theirs = teams.far(question.team_id) == teams.far(str(payload.get("team_id") or ""))
        if question.user_id != user_id or not is_theirs:
            return  # only the asker was shown it
        try:
            place = self.channels.facts(channel)
            allowed = self.audiences.of(
                channel,
                with_outsiders=place.is_shared,
                is_private=place.is_private,
                team_id=question.team_id,
            )
            used = {s.audience for s in answer.sources} | (
                {shown.pair.audience} if shown.pair else set()
            )
            if not place.is_seen:
                self._refuse(job, say("I am not in this channel. Invite me, then share it."))
                return
            if not used <= allowed:
                self._refuse(
                    job,
                    say(
                        "This rests on documents that not everyone here may see, so it stays yours."
                    ),
                )
                return
            thread = payload.get("thread_ts")
            reply = Reply(
                calls=self.calls,
                database=self.database,
                job=job,
                purpose="share",
                place=Place(channel, str(thread) if thread else None, user_id, question.team_id),
                bot_user_id=self.bot_user_id(question.team_id),
                stream=False,
            )
            reply.open(None)
            ts = reply.finish(
                blocks.plain_text(answer),
                blocks.shared_blocks(shown, question.text, user_id, say),
                blocks.details(answer),
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except PostedTooRecently as wait:
            raise TryLater(wait.seconds, str(wait)) from wait
        with self.database.write() as session:
            outbox.final(session, job, reply.message_as(ts))
            answers.stands_in(session, answer.id, channel, ts)

    def suggest(self, job: Job) -> None:
        """Suggest questions in the agent pane: those of the settings, else what was verified."""
        user_id = str(job.payload["user_id"])
        say = self.people.words(user_id)
        try:
            asked = self.suggested or self._verified_questions(
                user_id, str(job.payload.get("team_id") or "")
            )
            if not asked:
                return
            self.calls.call(
                "assistant_threads_setSuggestedPrompts",
                channel_id=str(job.payload["channel"]),
                title=say("Ask about how we do things"),
                prompts=[{"title": text[:60], "message": text} for text in asked[:4]],
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
        except SlackRefused as refused:
            log.info("nothing suggested code=%s", refused.code)

    def _verified_questions(self, user_id: str, team_id: str) -> tuple[str, ...]:
        is_outsider = self.people.who(user_id, team_id).is_outsider
        with self.database.read() as session:
            newest = pairs.listed(session, "approved", 30)
        allowed = self.audiences.of(
            "", with_outsiders=is_outsider, is_private=False, team_id=team_id
        )
        asked = [pair.input for pair in newest if pair.audience in allowed]
        return tuple(dict.fromkeys(asked))[:4]

    def _refuse(self, job: Job, text: str) -> None:
        self.guard.whisper(
            {
                "user": {"id": job.payload["user_id"]},
                "channel": {"id": job.payload["channel"]},
                "container": {"thread_ts": job.payload.get("thread_ts")},
            },
            text,
        )
