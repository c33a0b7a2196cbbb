"""Block Kit: what people see, as pure functions of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.question_text import QuestionUnusable, clean_question
from bot.slack.text import safe_markdown, safe_mrkdwn, shortened
from storage.answers import Answer, AnswerSource
from storage.clock import utc_now
from storage.pairs import Pair
from storage.questions import Question

Block = dict[str, Any]

#: What may stand in a link as it is; the rest would end it in Slack's markup.
_IN_LINKS = "/:?#[]@!$&'()*+,;=%~"

FEEDBACK = "answer_feedback"
CORRECT = "answer_correct"
CORRECTION = "correction"
ANSWER_BLOCK, ANSWER_INPUT = "better_answer", "text"
REASON_BLOCK, REASON_INPUT = "reason", "choice"

#: Why an answer was corrected, as the form offers it.
REASONS = {
    "wrong": "A fact is wrong",
    "tone": "It does not sound like us",
    "outdated": "The page is out of date",
    "incomplete": "Something is missing",
}


def answer_blocks(answer: Answer, pair: Pair | None) -> list[Block]:
    """Return an answer with its sources, where it comes from, and the feedback buttons."""
    blocks: list[Block] = [{"type": "markdown", "text": safe_markdown(answer.text)}]
    sources = [s for s in answer.sources if s.cited] or list(answer.sources)
    if sources:
        blocks.append(_context(_source_lines(sources, is_cited=answer.status != "abstained")))
    blocks.append(_context(_evidence(answer, pair)))
    if answer.status != "failed":
        blocks.append(_feedback(answer.id))
    return blocks


def plain_text(answer: Answer) -> str:
    """Return the answer as the notification shows it."""
    return shortened(safe_mrkdwn(answer.text), 3_900)


def corrected_blocks(expert: str, asker: str, pair: Pair) -> list[Block]:
    """Return the message that tells an asker of a correction."""
    lead = (
        "Saved. This is the answer from now on:"
        if asker == expert
        else f"<@{asker}> <@{expert}> has a better answer:"
    )
    return [
        _section(lead),
        {"type": "markdown", "text": safe_markdown(pair.output)},
        _context([f"Verified by <@{expert}> · from now on this is what I answer."]),
    ]


def correction_view(
    answer: Answer, question: Question, *, is_expert: bool, prefilled: str
) -> dict[str, Any]:
    """Return the correction form, with the question, the answer and its sources in view.

    Args:
        answer: The answer to be corrected.
        question: What was asked.
        is_expert: Whether the correction will count at once.
        prefilled: The text the form opens with.
    """
    what_follows = (
        "It counts at once: the asker is told, and the next one who asks gets your answer."
        if is_expert
        else "An expert will look at it before it counts."
    )
    blocks: list[Block] = [
        _section(f"*Question*\n{shortened(safe_mrkdwn(asked_in(question.text)), 2_900)}"),
        {
            "type": "input",
            "block_id": ANSWER_BLOCK,
            "label": {"type": "plain_text", "text": "The better answer"},
            "hint": {"type": "plain_text", "text": what_follows},
            "element": {
                "type": "plain_text_input",
                "action_id": ANSWER_INPUT,
                "multiline": True,
                "max_length": 3_000,
                "initial_value": shortened(prefilled, 3_000),
                "focus_on_load": True,
            },
        },
        {
            "type": "input",
            "block_id": REASON_BLOCK,
            "label": {"type": "plain_text", "text": "What was wrong with it?"},
            "element": {
                "type": "static_select",
                "action_id": REASON_INPUT,
                "options": [_option(value, text) for value, text in REASONS.items()],
                "initial_option": _option("wrong", REASONS["wrong"]),
            },
        },
    ]
    for source in answer.sources[:3]:
        quoted = shortened(safe_mrkdwn(" ".join(source.text.split())), 600)
        blocks.append(_context([f"*[{source.n}] {_source_name(source)}*\n{quoted}"]))
    return {
        "type": "modal",
        "callback_id": CORRECTION,
        "private_metadata": str(answer.id),
        "title": {"type": "plain_text", "text": "Correct this answer"},
        "submit": {"type": "plain_text", "text": "Save"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": blocks,
    }


def asked_in(text: str) -> str:
    """Return the question in a message as it was understood; as it stands if it was not."""
    try:
        return clean_question(text)
    except QuestionUnusable:
        return text


def _feedback(answer_id: int) -> Block:
    def button(text: str, label: str, value: str) -> dict[str, Any]:
        return {
            "text": {"type": "plain_text", "text": text},
            "accessibility_label": label,
            "value": value,
        }

    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": FEEDBACK,
                "positive_button": button("Good answer", "This answer helped", f"up:{answer_id}"),
                "negative_button": button("Bad answer", "Correct it", f"down:{answer_id}"),
            }
        ],
    }


def _evidence(answer: Answer, pair: Pair | None) -> list[str]:
    if answer.status == "verified" and pair is not None:
        who = pair.decided_by or pair.author
        name = f"<@{who}>" if who.startswith(("U", "W")) else safe_mrkdwn(pair.author)
        verified = f"✅ Verified by {name} on {day(pair.decided_at or pair.created_at)}"
        if pair.review_reason is None:
            return [verified]
        reason = safe_mrkdwn(pair.review_reason)
        return [verified, f"⚠️ {reason} An expert is asked to look at this answer again."]
    if answer.status == "grounded":
        count = sum(1 for source in answer.sources if source.cited)
        pages = "one passage" if count == 1 else f"{count} passages"
        return [f"From {pages} of our documents · model {answer.model_version}"]
    if answer.status == "abstained":
        return ["I only answer from our documents."]
    return [f"Error {answer.error_id}"]


def _source_lines(sources: Sequence[AnswerSource], *, is_cited: bool) -> list[str]:
    lines = ["*Sources*" if is_cited else "*The closest pages I found*"]
    now = utc_now()
    for source in sources[:8]:
        fresh = f" · updated {day(source.updated_at)}" if source.updated_at else ""
        if source.reviewed_until is not None and source.reviewed_until < now:
            fresh += f" · ⚠️ its review was due {day(source.reviewed_until)}"
        mark = f"[{source.n}] " if is_cited else "• "
        lines.append(f"{mark}{_source_name(source)}{fresh}")
    return ["\n".join(lines)]


def _source_name(source: AnswerSource) -> str:
    heading = source.heading.rsplit(" > ", 1)[-1]
    name = source.title if heading in ("", source.title) else f"{source.title} › {heading}"
    label = shortened(safe_mrkdwn(name).replace("|", "¦"), 200)
    link = source.link or source.uri
    if not link.startswith("https://"):
        return label
    return f"<{quote(link, safe=_IN_LINKS)}|{label}>"


def day(moment: datetime) -> str:
    """Return a date as people write it."""
    return f"{moment.day} {moment:%B %Y}"


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": shortened(text, 3_000)}}


def _context(texts: Sequence[str]) -> Block:
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": shortened(text, 3_000)} for text in texts],
    }


def _option(value: str, text: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text}, "value": value}
