"""What admins see of training: the plan, the standing, a run's message. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from bot.canary import TrialStanding
from bot.prequential import VersionScore
from bot.retraining import Status
from bot.run_plan import Plan
from bot.slack.audit_words import actor
from bot.slack.elements import Block, button, confirmation, context, section
from bot.slack.report_view import report_blocks
from bot.slack.text import safe_mrkdwn
from bot.slack.words import Words
from storage.runs import Run
from training.evaluation.changes import from_json
from training.retrain import Outcome

START, NOT_NOW, STOP = "retrain_start", "retrain_not_now", "retrain_stop"

_BAR = 20

#: Of how many versions it is told how they did on what was new to them.
_VERSIONS = 3


def plan_text(plan: Plan, say: Words) -> str:
    """Return what a run would take, and whether it is time."""
    lines = [
        say(
            "*Pairs:* {approved} approved, {new} new since the last training; {training} would "
            "train, {held_out} are kept for measuring, {held} are held back.",
            approved=say.number(plan.approved),
            new=say.number(plan.new),
            training=say.number(plan.training),
            held_out=say.number(plan.held_out),
            held=say.number(plan.held),
        ),
        say(
            "*Time:* about {training} of training ({tokens} tokens at {speed} a second{measured}) "
            "and {measuring} of measuring.",
            training=say.duration(plan.training_seconds),
            tokens=say.number(plan.tokens),
            speed=say.number(round(plan.tokens_a_second)),
            measured=say(", as the last run did") if plan.is_speed_measured else "",
            measuring=say.duration(plan.measuring_seconds),
        ),
        say("*Against forgetting:* {rehearsed}", rehearsed=say.retold(plan.rehearsed)),
    ]
    if plan.hour_price:
        lines.append(
            say(
                "*Cost:* about {cost} {currency}, at {price} an hour.",
                cost=say.number(round(plan.cost, 2)),
                currency=plan.currency,
                price=say.number(plan.hour_price),
            )
        )
    else:
        lines.append(say("*Cost:* nothing beside this machine's time."))
    if plan.missing:
        lines.append(
            say.plural(
                "*Too early:* {count} more pair is needed.",
                "*Too early:* {count} more pairs are needed.",
                plan.missing,
            )
        )
    else:
        lines.append(say("*There are enough pairs:* a training is due."))
    return "\n".join(lines)


def confirm_blocks(plan: Plan, say: Words) -> list[Block]:
    """Return the question whether to start, with the plan above it."""
    return [
        section("*" + say("Start a retraining?") + "*\n" + plan_text(plan, say)),
        {
            "type": "actions",
            "elements": [
                button(say("Start"), START, "run", style="primary"),
                button(say("Not now"), NOT_NOW, "no"),
            ],
        },
    ]


def on_new_questions(scores: Sequence[VersionScore], say: Words) -> str:
    """Return how the newest versions did on what experts bettered, a line each; may be empty."""
    return "".join(
        "\n"
        + say.plural(
            "*{version}* said what the expert says in {share} of {count} bettered answer "
            "({low} to {high}).",
            "*{version}* said what the expert says in {share} of {count} bettered answers "
            "({low} to {high}).",
            each.agreeing.count,
            version=each.version,
            share=say.share(each.agreeing.mean),
            low=say.share(each.agreeing.low),
            high=say.share(each.agreeing.high),
        )
        for each in scores[-_VERSIONS:]
    )


def status_text(status: Status, plan: Plan, last: Run | None, say: Words) -> str:
    """Return which version answers, what is missing, and how the last run went."""
    lines = [
        say(
            "*Answering now:* {version}, since {moment}",
            version=status.version,
            moment=say.moment(status.since),
        )
    ]
    if status.trial is not None:
        lines.append(_trial_text(status.trial, say))
    if plan.missing:
        lines.append(
            say.plural(
                "{count} more pair is needed before the next training.",
                "{count} more pairs are needed before the next training.",
                plan.missing,
            )
        )
    else:
        lines.append(say("There are enough pairs: a training is due."))
    if last is None:
        lines.append(say("No run yet."))
    else:
        lines.append(
            say(
                "*Last run:* {id}, {day}: {state}. {message}",
                id=last.id,
                day=say.day(last.created_at),
                state=state_name(last.state, say),
                message=_message(last, say),
            )
        )
    return "\n".join(lines)


def _trial_text(trial: TrialStanding, say: Words) -> str:
    champion, challenger = trial.state.champion, trial.state.challenger
    return say(
        "*On trial:* {version} gets {share} of the threads since {moment}. It has had {threads} "
        "so far, with {votes} votes down and {corrections} corrections. Of {settled} that are "
        "settled {bad} are bad, of {champion}'s {champion_settled} {champion_bad}. "
        "`/retrain withdraw` ends the trial.",
        version=trial.canary.version.name,
        share=say.share(trial.canary.share),
        moment=say.moment(trial.canary.started_at),
        threads=say.number(trial.challenger.threads),
        votes=say.number(trial.challenger.votes_down),
        corrections=say.number(trial.challenger.corrections),
        settled=say.number(challenger[1]),
        bad=say.number(challenger[0]),
        champion=trial.canary.champion.name,
        champion_settled=say.number(champion[1]),
        champion_bad=say.number(champion[0]),
    )


def _message(run: Run, say: Words) -> str:
    """Return what a run says of itself; who cancelled it is named as Slack names people."""
    told = safe_mrkdwn(say.retold(run.message))
    who = run.cancelled_by
    return told.replace(who, actor(who, say)) if who else told


def run_text(run: Run, say: Words) -> str:
    """Return how far a run is, or how it ended."""
    if not run.is_open:
        title = say("*Retraining, run {id}: {state}*", id=run.id, state=state_name(run.state, say))
        if run.state == "promoted":
            title += say(
                "\n*v{id} answers from now on*; `/retrain rollback` takes it back.", id=run.id
            )
        return title
    title = say(
        "*Retraining, run {id}* (asked for by {who})", id=run.id, who=actor(run.requested_by, say)
    )
    line = say("Stage: {stage}", stage=state_name(run.state, say))
    if run.state == "training" and run.steps:
        share = min(1.0, run.step / run.steps)
        bar = "▓" * round(share * _BAR) + "░" * (_BAR - round(share * _BAR))
        line += "\n" + say(
            "`{bar}` step {step} of {steps}", bar=bar, step=run.step, steps=run.steps
        )
        if run.loss is not None:
            line += say(", loss {loss}", loss=say.number(round(run.loss, 2)))
        if run.seconds_left is not None:
            line += say(", about {time} left", time=say.duration(run.seconds_left))
    elif run.message:
        line += f" · {_message(run, say)}"
    if run.cancelled_by:
        line += "\n" + say("It is being stopped.")
    return f"{title}\n{line}"


def run_blocks(run: Run, outcome: Outcome | None, say: Words) -> list[Block]:
    """Return a run's message: how far it is with Stop, or how it ended with what it measured."""
    text = run_text(run, say)
    if not run.is_open and outcome is None and run.message:
        text += f"\n{_message(run, say)}"
    blocks = [section(text)]
    if not run.is_open and outcome is not None:
        blocks += report_blocks(outcome, say)
        if told := _changed_text(run, say):
            blocks.append(context([told]))
    if run.is_open and not run.cancelled_by:
        confirm = confirmation(
            say("Stop this run?"), say("Nothing is promoted; what was trained is thrown away."), say
        )
        stop = button(say("Stop"), STOP, str(run.id), style="danger", confirm=confirm)
        blocks.append({"type": "actions", "elements": [stop]})
    return blocks


def _changed_text(run: Run, say: Words) -> str:
    """Return how many of the corrections it learned a version answers so; empty without any."""
    changes = from_json((run.report or {}).get("changes", ()))
    if not changes:
        return ""
    return say.plural(
        "Of {count} correction it has learned from, it answers {now} as the expert would; {before} "
        "before. `skredder train changes v{id}` shows it.",
        "Of {count} corrections it has learned from, it answers {now} as the experts would; "
        "{before} before. `skredder train changes v{id}` shows each.",
        len(changes),
        now=say.number(sum(change.agrees_now for change in changes)),
        before=say.number(sum(change.agreed_before for change in changes)),
        id=run.id,
    )


def state_name(state: str, say: Words) -> str:
    """Return a run's state or stage in words."""
    names = {
        "queued": say("waiting to begin"),
        "preparing": say("snapshot"),
        "training": say("training"),
        "merging": say("merging"),
        "evaluating": say("measuring"),
        "paused": say("paused"),
        "passed": say("passed the gate"),
        "refused": say("refused by the gate"),
        "failed": say("failed"),
        "cancelled": say("stopped"),
        "promoted": say("promoted"),
    }
    return names.get(state, state)
