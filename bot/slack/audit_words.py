"""The audit as people read it: who did what, in their language."""

from __future__ import annotations

from bot.slack.blocks import name_of
from bot.slack.text import safe_mrkdwn, shortened
from bot.slack.words import Words
from storage.audit import AuditRecord


def audit_line(record: AuditRecord, say: Words) -> str:
    """Return one line of the audit."""
    done = actions(say).get(record.action, f"`{record.action}`")
    return f"{say.moment(record.created_at)} · {actor(record.actor, say)} · {done} · " + _subject(
        record.subject, say
    )


def actor(name: str, say: Words) -> str:
    """Return who did something: a person as a mention, a part of the program by its name."""
    parts = {
        "schedule": say("the schedule"),
        "command line": say("the command line"),
        "checks": say("the checks"),
        "sync": say("the sync"),
        "grouping": say("the grouping"),
        "evaluation": say("the measuring"),
        "erasure": say("the erasure"),
        "upkeep": say("the upkeep"),
        "canary": say("the trial"),
        "start": say("the start"),
    }
    return parts.get(name) or name_of(name)


def actions(say: Words) -> dict[str, str]:
    """Return what may have been done, by the name it has in SQL."""
    return {
        "pair.propose": say("proposed"),
        "pair.yes": say("said yes to"),
        "pair.approved": say("approved"),
        "pair.rejected": say("rejected"),
        "pair.revoked": say("took back"),
        "pair.superseded": say("replaced by a newer one"),
        "pair.reinstated": say("reinstated"),
        "pair.confirm": say("confirmed as still right"),
        "pair.review": say("marked to be looked at again"),
        "pair.cleared": say("cleared for everyone"),
        "pair.hold": say("held back"),
        "pair.release": say("released"),
        "pair.not_personal": say("said that nothing in it is personal:"),
        "pair.set_aside": say("set aside from measuring and training"),
        "pair.erased": say("erased"),
        "pairs.withdraw": say("withdrew all pairs of"),
        "group.made": say("made a group of questions"),
        "group.merged": say("merged groups of questions"),
        "conflict.opened": say("found a contradiction"),
        "conflict.decided": say("decided a contradiction"),
        "run.propose": say("asked for a training"),
        "run.cancel": say("stopped the training"),
        "run.pause": say("the training had to pause"),
        "run.resume": say("let the training go on"),
        "run.cancelled": say("the training was stopped"),
        "run.passed": say("the gate let it through"),
        "run.refused": say("the gate refused it"),
        "run.failed": say("the training failed"),
        "version.promote": say("let answer"),
        "version.override": say("let answer against the gate"),
        "version.rollback": say("went back to"),
        "version.export": say("exported"),
        "version.retire": say("retired"),
        "version.challenge": say("measured another base model"),
        "canary.begin": say("began to try on some threads"),
        "canary.promoted": say("proved on some threads"),
        "canary.withdrawn": say("withdrawn from its trial"),
        "choose.strict": say("changed strict answering"),
        "choose.schedule": say("changed the schedule"),
        "source.remove": say("removed a source"),
        "question.hand_over": say("asked an expert"),
        "version.lesson": say("counted what was learned from"),
        "person.erase": say("erased a person"),
        "audit.reseal": say("sealed the audit anew"),
    }


def _subject(subject: str, say: Words) -> str:
    """Return what it was done to: `pair 12`, a person, a channel."""
    kind, _, which = subject.partition(" ")
    names = {
        "pair": say("pair"),
        "run": say("run"),
        "version": say("version"),
        "group": say("group"),
        "conflict": say("contradiction"),
        "question": say("question"),
        "source": say("source"),
        "author": say("author"),
    }
    if kind == "channel" and which:
        return f"<#{which.rpartition('/')[2]}>"
    if kind in names and which:
        who = name_of(which) if kind == "author" else safe_mrkdwn(shortened(which, 80))
        return f"{names[kind]} {who}"
    return safe_mrkdwn(shortened(subject, 80)) if " " in subject else name_of(subject)
