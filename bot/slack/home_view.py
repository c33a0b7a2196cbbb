"""What App Home shows: a pure function of what is known and who looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.slack.text import safe_mrkdwn, shortened
from storage.overview import Overview
from storage.pairs import Pair

APPROVE, REJECT = "pair_approve", "pair_reject"
CONFIRM, REVOKE = "pair_confirm", "pair_revoke"
RETRAIN, ROLL_BACK = "home_retrain", "home_roll_back"


@dataclass(frozen=True)
class TrainingFacts:
    """Where training stands, in words ready to be shown."""

    serving: str
    readiness: str
    last_run: str
    can_start: bool
    can_roll_back: bool


def home_view(
    company: str,
    overview: Overview,
    training: TrainingFacts,
    *,
    is_expert: bool,
    is_admin: bool,
) -> dict[str, Any]:
    """Return the Home tab for one person."""
    blocks: list[dict[str, Any]] = [
        _header(f"Answers from {company}'s own documents"),
        _section(
            "*Ask* by mentioning me in a channel or writing to me here. Every answer names its "
            "sources.\n*Correct* me with the buttons under an answer. What an expert corrects is "
            "what the next one who asks gets, and I learn from it."
        ),
        _fields(_use(overview)),
    ]
    if is_expert:
        blocks += _review(overview.waiting)
        blocks += _second_look(overview.to_review)
    if is_admin:
        blocks += _admin(training)
    return {"type": "home", "blocks": blocks}


def _use(overview: Overview) -> list[str]:
    by_status = overview.answers_by_status
    return [
        f"*Questions*\n{overview.questions}",
        f"*Answered*\n{by_status['grounded'] + by_status['verified']}",
        f"*“I don't know”*\n{by_status['abstained']}",
        f"*Votes*\n{overview.votes_up} up, {overview.votes_down} down",
        f"*Approved pairs*\n{overview.pairs_by_state['approved']}",
        f"*Waiting for an expert*\n{overview.pairs_by_state['proposed']}",
    ]


def _review(waiting: tuple[Pair, ...]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "divider"}, _header("Corrections to review")]
    if not waiting:
        return [*blocks, _section("Nothing is waiting.")]
    for pair in waiting:
        author = f"<@{pair.author}>" if pair.origin == "slack" else safe_mrkdwn(pair.author)
        blocks += _to_decide(
            pair, f"Proposed by {author}", yes=("Approve", APPROVE), no=("Reject", REJECT)
        )
    return blocks


def _second_look(marked: tuple[Pair, ...]) -> list[dict[str, Any]]:
    """Verified answers whose page is not what it was."""
    if not marked:
        return []
    blocks: list[dict[str, Any]] = [{"type": "divider"}, _header("Answers to look at again")]
    for pair in marked:
        blocks += _to_decide(
            pair,
            safe_mrkdwn(pair.review_reason or ""),
            yes=("Still right", CONFIRM),
            no=("Take it back", REVOKE),
        )
    return blocks


def _to_decide(
    pair: Pair, note: str, *, yes: tuple[str, str], no: tuple[str, str]
) -> list[dict[str, Any]]:
    """A pair with its note and two buttons, each a label and an action id."""
    asked = shortened(safe_mrkdwn(pair.input), 500)
    answered = shortened(safe_mrkdwn(pair.output), 1_500)
    elements = [
        _button(*yes, str(pair.id), style="primary"),
        _button(*no, str(pair.id), style="danger"),
    ]
    return [
        _section(f"*{asked}*\n{answered}\n_{note}_"),
        {"type": "actions", "elements": elements},
    ]


def _admin(training: TrainingFacts) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "divider"},
        _header("The model"),
        _section(f"*Answering now:* {training.serving}\n{training.readiness}\n{training.last_run}"),
    ]
    elements = []
    if training.can_start:
        confirm = _confirm("Start a retraining?", "It runs for a while; answers go on meanwhile.")
        elements.append(_button("Retrain now", RETRAIN, "run", style="primary", confirm=confirm))
    if training.can_roll_back:
        confirm = _confirm("Go back to the version before?", "It takes a few seconds.")
        elements.append(_button("Roll back", ROLL_BACK, "back", style="danger", confirm=confirm))
    if elements:
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": shortened(text, 150)}}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": shortened(text, 3_000)}}


def _fields(texts: list[str]) -> dict[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}


def _button(
    text: str,
    action_id: str,
    value: str,
    *,
    style: str,
    confirm: dict[str, Any] | None = None,
) -> dict[str, Any]:
    button: dict[str, Any] = {
        "type": "button",
        "text": {"type": "plain_text", "text": text},
        "action_id": action_id,
        "value": value,
        "style": style,
    }
    return button | ({"confirm": confirm} if confirm else {})


def _confirm(title: str, text: str) -> dict[str, Any]:
    return {
        "title": {"type": "plain_text", "text": title},
        "text": {"type": "plain_text", "text": text},
        "confirm": {"type": "plain_text", "text": "Yes"},
        "deny": {"type": "plain_text", "text": "No"},
    }
