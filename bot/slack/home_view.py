"""What App Home shows: a pure function of what is known and who looks."""

from __future__ import annotations

from typing import Any

from bot.slack.audit_words import audit_line
from bot.slack.blocks import asked_in, name_of
from bot.slack.correction_form import reason_names
from bot.slack.elements import (
    Block,
    button,
    confirmation,
    context,
    fields,
    header,
    section,
)
from bot.slack.feedback import EDIT
from bot.slack.home_facts import Dispute, Facts, ForAdmins, ForExperts, Waiting
from bot.slack.lesson_messages import lesson_text
from bot.slack.retrain_view import plan_text, status_text
from bot.slack.text import safe_mrkdwn, shortened
from bot.slack.wording_diff import marked_changes
from bot.slack.words import Words
from storage.overview import Day, Overview
from storage.pairs import Pair
from training.prompt import without_citations

APPROVE, REJECT = "pair_approve", "pair_reject"
CONFIRM, REVOKE = "pair_confirm", "pair_revoke"
OLDER_RIGHT, NEWER_RIGHT, BOTH_RIGHT = "conflict_older", "conflict_newer", "conflict_both"
RETRAIN, ROLL_BACK = "home_retrain", "home_roll_back"
CHANNEL_SETTINGS, EXPORT = "home_channel_settings", "home_export"

DIVIDER: Block = {"type": "divider"}

#: Slack takes 100 blocks.
_MOST_BLOCKS = 100


def home_view(facts: Facts, say: Words) -> dict[str, Any]:
    """Return the Home tab for one person."""
    blocks: list[Block] = [
        header(say("Answers from {company}'s own documents", company=facts.company)),
        section(
            say(
                "*Ask* by mentioning me in a channel, by writing to me here, or with `/ask`, which "
                "only you see. Every answer names its sources.\n*Correct* me with the buttons "
                "under an answer, or with a reply that begins with `correction:`. What an expert "
                "corrects is what the next one who asks gets, and I learn from it."
            )
        ),
        fields(_use(facts.overview, say)),
    ]
    if facts.taught is not None:
        blocks.append(section(lesson_text(facts.taught, say)))
    if facts.experts is not None:
        blocks += _experts(facts.experts, say)
    if facts.admins is not None:
        blocks += _admins(facts.admins, say)
    return {"type": "home", "blocks": blocks[:_MOST_BLOCKS]}


def _use(overview: Overview, say: Words) -> list[str]:
    by_status = overview.answers_by_status

    def field(name: str, value: str) -> str:
        return f"*{name}*\n{value}"

    return [
        field(say("Questions"), say.number(overview.questions)),
        field(say("Answered"), say.number(by_status["grounded"] + by_status["verified"])),
        field(say("“I don't know”"), say.number(by_status["abstained"])),
        field(
            say("Votes"),
            say(
                "{up} up, {down} down",
                up=say.number(overview.votes_up),
                down=say.number(overview.votes_down),
            ),
        ),
        field(say("Approved pairs"), say.number(overview.pairs_by_state["approved"])),
        field(say("Waiting for an expert"), say.number(overview.pairs_by_state["proposed"])),
    ]


def _experts(seen: ForExperts, say: Words) -> list[Block]:
    blocks: list[Block] = []
    if seen.unanswered:
        blocks += [DIVIDER, header(say("Questions that wait for an expert"))]
        blocks += [
            section(
                say(
                    "*{question}*\nasked by <@{user}>, {day}",
                    question=_short(asked_in(one.question.text), 300),
                    user=one.question.user_id,
                    day=say.day(one.created_at),
                )
            )
            for one in seen.unanswered
        ]
    blocks += [DIVIDER, header(say("Corrections to review"))]
    if not seen.waiting:
        blocks.append(section(say("Nothing is waiting.")))
    for one in seen.waiting:
        blocks += _waiting(one, say)
    if seen.more_waiting:
        more = say.plural("{count} more waits.", "{count} more wait.", seen.more_waiting)
        blocks.append(context([more]))
    if seen.disputes:
        blocks += [DIVIDER, header(say("Answers that contradict each other"))]
        for dispute in seen.disputes:
            blocks += _dispute(dispute, say)
    if seen.to_review:
        blocks += [DIVIDER, header(say("Answers to look at again"))]
        for pair in seen.to_review:
            blocks += _second_look(pair, say)
    if seen.newest:
        blocks += [DIVIDER, header(say("Newest answers by experts"))]
        for pair in seen.newest:
            blocks += _approved(pair, say)
    return blocks


def _waiting(one: Waiting, say: Words) -> list[Block]:
    """A pair to decide: what changes, who and why, and what stands beside it."""
    pair = one.pair
    reasons = reason_names(say)
    about = [
        say(
            "Proposed by {author}, {day}", author=name_of(pair.author), day=say.day(pair.created_at)
        ),
        reasons.get(pair.reason or "", "") or safe_mrkdwn(shortened(pair.reason or "", 200)),
        *(f"⚠️ {safe_mrkdwn(shortened(say.retold(hold), 300))}" for hold in pair.holds),
    ]
    if one.answered:
        proposed = marked_changes(without_citations(one.answered), pair.output, 1_800)
    else:
        proposed = _short(pair.output, 1_800)
    blocks = [
        section(f"*{_short(pair.input, 500)}*\n{proposed}"),
        context([line for line in about if line]),
    ]
    for other in one.beside:
        is_same = " ".join(other.output.split()) == " ".join(pair.output.split())
        name = say("The same answer is there") if is_same else say("Approved until now")
        blocks.append(
            fields(
                [
                    "*" + say("Proposed") + f"*\n{_short(pair.output, 900)}",
                    f"*{name}* ({other.id})\n{_short(other.output, 900)}",
                ]
            )
        )
    value = str(pair.id)
    elements = [
        button(say("Approve"), APPROVE, value, style="primary"),
        button(say("Edit"), EDIT, value),
        button(say("Reject"), REJECT, value, style="danger"),
    ]
    return [*blocks, {"type": "actions", "elements": elements}]


def _dispute(dispute: Dispute, say: Words) -> list[Block]:
    older, newer, value = dispute.older, dispute.newer, str(dispute.conflict.id)
    disagreement = say.disagreement(dispute.conflict.disagreement)
    elements = [
        button(say("The older is right"), OLDER_RIGHT, value),
        button(say("The newer is right"), NEWER_RIGHT, value),
        button(say("Both are right"), BOTH_RIGHT, value),
    ]
    return [
        section(f"*{_short(newer.input, 500)}*\n{_short(disagreement, 500)}"),
        fields(
            [
                "*" + say("Older") + f"* · {name_of(older.author)}\n{_short(older.output, 900)}",
                "*" + say("Newer") + f"* · {name_of(newer.author)}\n{_short(newer.output, 900)}",
            ]
        ),
        {"type": "actions", "elements": elements},
    ]


def _second_look(pair: Pair, say: Words) -> list[Block]:
    """A verified answer whose page is not what it was."""
    value = str(pair.id)
    elements = [
        button(say("Still right"), CONFIRM, value, style="primary"),
        button(say("Take it back"), REVOKE, value, style="danger"),
    ]
    return [
        section(
            f"*{_short(pair.input, 500)}*\n{_short(pair.output, 1_500)}\n"
            f"_{_short(say.retold(pair.review_reason or ''), 500)}_"
        ),
        {"type": "actions", "elements": elements},
    ]


def _approved(pair: Pair, say: Words) -> list[Block]:
    confirm = confirmation(
        say("Take this answer back?"), say("It is no longer answered with, nor trained on."), say
    )
    take_back = button(say("Take it back"), REVOKE, str(pair.id), confirm=confirm)
    text = f"*{_short(pair.input, 300)}*\n{_short(pair.output, 500)}"
    return [
        {**section(text), "accessory": take_back},
        context(
            [
                say(
                    "By {author}, {day}",
                    author=name_of(pair.author),
                    day=say.day(pair.decided_at or pair.created_at),
                )
            ]
        ),
    ]


def _admins(seen: ForAdmins, say: Words) -> list[Block]:
    blocks: list[Block] = [
        DIVIDER,
        header(say("The model")),
        section(status_text(seen.status, seen.plan, seen.last_run, say)),
        section(plan_text(seen.plan, say)),
        context([seen.schedule]),
    ]
    elements = []
    if seen.can_start:
        confirm = confirmation(
            say("Start a retraining?"),
            say(
                "{pairs} pairs, about {time}; answers go on meanwhile.",
                pairs=say.number(seen.plan.training),
                time=say.duration(seen.plan.seconds),
            ),
            say,
        )
        elements.append(
            button(say("Retrain now"), RETRAIN, "run", style="primary", confirm=confirm)
        )
    if seen.status.can_roll_back:
        confirm = confirmation(
            say("Go back to the version before?"), say("It takes a few seconds."), say
        )
        elements.append(
            button(say("Roll back"), ROLL_BACK, "back", style="danger", confirm=confirm)
        )
    elements.append(button(say("Channel settings"), CHANNEL_SETTINGS, "channels"))
    elements.append(button(say("Export pairs"), EXPORT, "pairs"))
    blocks.append({"type": "actions", "elements": elements})
    blocks += _versions(seen, say)
    blocks += _over_time(seen, say)
    if seen.gaps:
        lines = [
            say.plural(
                "• {topic}: asked once",
                "• {topic}: asked {count} times",
                gap.times,
                topic=_short(gap.topic, 150),
            )
            for gap in seen.gaps
        ]
        blocks += [DIVIDER, header(say("What the documents do not answer"))]
        blocks.append(section("\n".join(lines)))
    if seen.strict:
        places = " ".join(f"<#{channel}>" for channel in seen.strict)
        blocks.append(
            context([say("Only when mentioned, never by itself: {channels}", channels=places)])
        )
    if seen.audit:
        blocks += [DIVIDER, header(say("Audit"))]
        blocks.append(section("\n".join(audit_line(one, say) for one in seen.audit)))
    return blocks


def _versions(seen: ForAdmins, say: Words) -> list[Block]:
    names = {
        "answer_f1": say("answer F1"),
        "voice": say("in the voice"),
        "right_source": say("right source cited"),
        "probes": say("general probes right"),
    }
    gates = {
        "passed": say("passed the gate"),
        "refused": say("refused by the gate"),
        "overridden": say("let through by an admin"),
        "candidate": say("not judged yet"),
        "retired": say("retired"),
    }
    lines = []
    for version, measured in seen.versions:
        numbers = ", ".join(
            f"{name} {say.share(measured[key])}" for key, name in names.items() if key in measured
        )
        parts = [f"*{version.name}*", gates.get(version.standing, version.standing), numbers]
        lines.append(" · ".join(part for part in parts if part))
    return [DIVIDER, header(say("Versions")), section("\n".join(lines) or "–")]


def _over_time(seen: ForAdmins, say: Words) -> list[Block]:
    title = say("Answered, not known, voted against: the last four weeks")
    blocks: list[Block] = [DIVIDER, header(title)]
    if seen.plot_file:
        return [
            *blocks,
            {"type": "image", "slack_file": {"id": seen.plot_file}, "alt_text": title},
        ]
    return [*blocks, section(f"```{text_plot(seen.days, say)}```")]


def text_plot(days: tuple[Day, ...], say: Words) -> str:
    """Return four weeks as lines of blocks, for where no picture can be shown."""
    steps = " ▁▂▃▄▅▆▇█"
    rows = [
        (say("answered"), [day.answered for day in days]),
        (say("not known"), [day.abstained for day in days]),
        (say("voted against"), [day.down for day in days]),
    ]
    most = max((value for _, values in rows for value in values), default=0) or 1
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{name:<{width}} {''.join(steps[-(-value * 8 // most)] for value in values)} {sum(values)}"
        for name, values in rows
    )


def _short(text: str, limit: int) -> str:
    return shortened(safe_mrkdwn(text), limit)
