"""What a finished run measured, as a table, and the gate's reasons: a pure function of both."""

from __future__ import annotations

from bot.slack.elements import Block, context, section
from bot.slack.text import safe_mrkdwn
from bot.slack.words import Words
from training.evaluation.intervals import Interval
from training.evaluation.report import LABELS, Report, VersionScores
from training.retrain import Outcome


def report_blocks(outcome: Outcome, say: Words) -> list[Block]:
    """Return the table of a run, on what it rests, and what the gate said."""
    report, decision = outcome.report, outcome.decision
    verdict = say("The gate let it through:") if decision.passed else say("The gate refused it:")
    reasons = "\n".join(f"• {safe_mrkdwn(say.retold(reason))}" for reason in decision.reasons)
    return [
        section(f"*{verdict}*\n{reasons}"),
        _table(report, say),
        context([_remarks(report, say)]),
    ]


def _table(report: Report, say: Words) -> Block:
    roles = [(say("base"), report.base)]
    if report.champion.version != report.base.version:
        roles.append((say("champion"), report.champion))
    if report.challenger.version not in (report.base.version, report.champion.version):
        roles.append((say("challenger"), report.challenger))
    rows = [
        [
            "",
            *(
                role if scores.version == report.base.version else f"{role} {scores.version}"
                for role, scores in roles
            ),
            say("change (95 % interval)"),
        ]
    ]
    for name, label in LABELS.items():
        if report.challenger.measures[name].count == 0:
            continue
        change = report.differences[name]
        rows.append(
            [
                say.retold_name(label),
                *(say.share(scores.measures[name].mean) for _, scores in roles),
                _points(change, say),
            ]
        )
    rows.append(
        [
            say("words an answer"),
            *(say.number(round(scores.words)) for _, scores in roles),
            "",
        ]
    )
    for kind in report.challenger.probes:
        rows.append(
            [
                say("probes: {kind}", kind=say.retold_name(kind)),
                *(_of(scores, kind, say) for _, scores in roles),
                "",
            ]
        )
    return {
        "type": "table",
        "column_settings": [{"align": "left"}, *({"align": "right"} for _ in rows[0][1:])],
        "rows": [[{"type": "raw_text", "text": text or " "} for text in row] for row in rows],
    }


def _remarks(report: Report, say: Words) -> str:
    told = say(
        "{count} held-out questions; retrieval found the right passage for {found}. The voice's "
        "classifier is right on {right}.",
        count=say.number(report.held_out),
        found=say.share(report.retrieved),
        right=say.share(report.voice_accuracy),
    )
    if report.voice_agreement is None:
        return told
    agrees = say.share(report.voice_agreement)
    return f"{told} " + say("It agrees with the written rules on {share}.", share=agrees)


def _of(scores: VersionScores, kind: str, say: Words) -> str:
    count = scores.probes[kind]
    return say("{right} of {total}", right=say.number(count.right), total=say.number(count.total))


def _points(change: Interval, say: Words) -> str:
    mean, low, high = (
        f"{100 * each:+.0f}".replace("-", "\N{MINUS SIGN}")
        for each in (change.mean, change.low, change.high)
    )
    return say("{mean} ({low} to {high})", mean=mean, low=low, high=high)
