"""Block Kit for an answer: what people see, as pure functions of what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.question_text import QuestionUnusable, clean_question
from bot.slack.elements import Block, button, context, section
from bot.slack.markdown import fitting_markdown
from bot.slack.text import safe_mrkdwn, shortened
from bot.slack.words import Words
from bot.teams import id_in
from storage.answers import Answer, AnswerSource
from storage.clock import utc_now
from storage.handovers import Handover
from storage.pairs import Pair

#: What may stand in a link as it is; the rest would end it in Slack's markup.
_IN_LINKS = "/:?#[]@!$&'()*+,;=%~"

FEEDBACK = "answer_feedback"
SHARE = "answer_share"
ASK_EXPERT = "answer_ask_expert"
CORRECT = "answer_correct"

#: What stands instead of an error's id where somebody stopped the answer.
STOPPED = "stopped"

#: A message begins to be an answer's with this event type in its metadata.
_MOST_SOURCES = 8


@dataclass(frozen=True)
class Shown:
    """An answer with all that its message says of it.

    Attributes:
        answer: The answer.
        pair: The verified answer it came from, if it did.
        owners: Who owns the pages, by address.
        unread: Names of files in the question that were not read.
        handover: Whom the question was handed to, if it was.
        is_private: Whether only the asker sees the message, and may share it.
    """

    answer: Answer
    pair: Pair | None = None
    owners: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    handover: Handover | None = None
    is_private: bool = False


def answer_blocks(shown: Shown, say: Words) -> list[Block]:
    """Return an answer with its sources, where it comes from, and the buttons."""
    answer = shown.answer
    below: list[Block] = []
    sources = [s for s in answer.sources if s.cited] or list(answer.sources)
    if sources:
        below.append(_sources(sources, shown.owners, say, is_cited=answer.status != "abstained"))
    if evidence := _evidence(shown, say):
        below.append(context(evidence))
    below += _buttons(shown, say)
    links = None if answer.status == "verified" else {s.link or s.uri for s in answer.sources}
    text = fitting_markdown(answer.text, links=links, others=_length(below))
    return [{"type": "markdown", "text": text}, *below]


def plain_text(answer: Answer) -> str:
    """Return the answer as the notification shows it."""
    return shortened(safe_mrkdwn(answer.text), 3_900)


def details(answer: Answer) -> dict[str, Any]:
    """Return what the message's metadata says of an answer."""
    return {
        "answer": answer.id,
        "status": answer.status,
        "model_version": answer.model_version or "",
    }


def shared_blocks(shown: Shown, question: str, sharer: str, say: Words) -> list[Block]:
    """Return an answer that only one person saw, as it is shared with the channel."""
    lead = say("<@{user}> asked: {question}", user=sharer, question=_quoted(question))
    return [section(lead), *answer_blocks(shown, say)]


def corrected_blocks(expert: str, asker: str, pair: Pair, say: Words) -> list[Block]:
    """Return the message that tells an asker of a better answer."""
    expert = id_in(expert)
    if asker == expert:
        lead = say("Saved. This is the answer from now on:")
    else:
        lead = say("<@{asker}> <@{expert}> has a better answer:", asker=asker, expert=expert)
    return [
        section(lead),
        {"type": "markdown", "text": fitting_markdown(pair.output, links=None, others=600)},
        context(
            [say("Verified by <@{expert}> · from now on this is what I answer.", expert=expert)]
        ),
    ]


def handed_over_blocks(handover: Handover, answer_id: int, say: Words) -> list[Block]:
    """Return the message that asks experts for an answer."""
    people = " ".join(f"<@{one}>" for one in handover.asked_of)
    return [
        section(
            say(
                "{people} <@{asker}> needs somebody who knows:",
                people=people,
                asker=id_in(handover.asked_by),
            )
        ),
        section(f">{_quoted(handover.question.text)}"),
        {
            "type": "actions",
            "elements": [button(say("Answer"), CORRECT, str(answer_id), style="primary")],
        },
        context(
            [say("⏳ Waiting for an expert. Your answer tells the asker, and counts from then on.")]
        ),
    ]


def answered_by_people_blocks(handover: Handover, expert: str, say: Words) -> list[Block]:
    """Return what becomes of that message once somebody has answered."""
    return [
        section(f">{_quoted(handover.question.text)}"),
        context([say("✅ Answered by <@{expert}>.", expert=expert)]),
    ]


def asked_in(text: str) -> str:
    """Return the question in a message as it was understood; as it stands if it was not."""
    try:
        return clean_question(text)
    except QuestionUnusable:
        return text


def source_name(source: AnswerSource) -> str:
    """Return a source as a link: its page and section."""
    heading = source.heading.rsplit(" > ", 1)[-1]
    name = source.title if heading in ("", source.title) else f"{source.title} › {heading}"
    label = shortened(safe_mrkdwn(name).replace("|", "¦"), 200)
    link = source.link or source.uri
    if not link.startswith("https://"):
        return label
    return f"<{quote(link, safe=_IN_LINKS)}|{label}>"


def name_of(person: str) -> str:
    """Return somebody as a mention, or by the name that an import gave."""
    person = id_in(person)
    is_id = person.startswith(("U", "W")) and person.isalnum() and person.isupper()
    return f"<@{person}>" if is_id else safe_mrkdwn(person)


def _quoted(text: str) -> str:
    return shortened(safe_mrkdwn(asked_in(text)), 2_000).replace("\n", " ")


def _buttons(shown: Shown, say: Words) -> list[Block]:
    answer = shown.answer
    if answer.status == "failed":
        return []
    elements = []
    if answer.status == "abstained" and shown.handover is None:
        elements.append(button(say("Ask an expert"), ASK_EXPERT, str(answer.id), style="primary"))
    if shown.is_private:
        elements.append(button(say("Share with the channel"), SHARE, str(answer.id)))
    actions: list[Block] = [{"type": "actions", "elements": elements}] if elements else []
    return [*actions, _feedback(answer.id, say)]


def _feedback(answer_id: int, say: Words) -> Block:
    def side(text: str, label: str, value: str) -> dict[str, Any]:
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
                "positive_button": side(
                    say("Good answer"), say("This answer helped"), f"up:{answer_id}"
                ),
                "negative_button": side(say("Bad answer"), say("Correct it"), f"down:{answer_id}"),
            }
        ],
    }


def _evidence(shown: Shown, say: Words) -> list[str]:
    answer, pair = shown.answer, shown.pair
    lines = []
    if answer.status == "verified" and pair is not None:
        lines.append(
            say(
                "✅ Verified by {expert} on {day}",
                expert=name_of(pair.decided_by or pair.author)
                if (pair.decided_by or "").isupper()
                else name_of(pair.author),
                day=say.day(pair.decided_at or pair.created_at),
            )
        )
        if pair.review_reason is not None:
            lines.append(
                say(
                    "⚠️ {reason} An expert is asked to look at this answer again.",
                    reason=safe_mrkdwn(say.retold(pair.review_reason)),
                )
            )
    elif answer.status == "grounded":
        count = sum(1 for source in answer.sources if source.cited)
        lines.append(
            say.plural("From one passage of our documents", "From {count} passages", count)
        )
    elif answer.status == "abstained":
        lines.append(say("I only answer from our documents."))
        if shown.handover is not None:
            lines.append(_waiting(shown.handover, say))
    elif answer.error_id != STOPPED:
        lines.append(say("Error {id}", id=answer.error_id or ""))
    if shown.unread:
        names = ", ".join(safe_mrkdwn(shortened(name, 60)) for name in shown.unread[:5])
        lines.append(say("📎 Not read: {names}. I read text files of up to 100 kB.", names=names))
    if answer.model_version and answer.status == "grounded":
        lines[0] += say(" · model {version}", version=answer.model_version)
    if shown.is_private:
        lines.append(say("👁 Only you can see this."))
    return lines


def _waiting(handover: Handover, say: Words) -> str:
    if handover.is_waiting:
        people = " ".join(f"<@{one}>" for one in handover.asked_of)
        return say("⏳ Waiting for an expert: {people}", people=people)
    return say("✅ Answered by <@{expert}>.", expert=handover.answered_by or "")


def _sources(
    sources: Sequence[AnswerSource], owners: Mapping[str, str], say: Words, *, is_cited: bool
) -> Block:
    shown = sources[:_MOST_SOURCES]
    if is_cited:
        title = say.plural("{count} source", "{count} sources", len(sources))
    else:
        title = say("The closest pages I found")
    return {
        "type": "container",
        "title": {"type": "plain_text", "text": title},
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [
            context([_source_line(source, owners, say, is_cited=is_cited)]) for source in shown
        ],
    }


def _source_line(
    source: AnswerSource, owners: Mapping[str, str], say: Words, *, is_cited: bool
) -> str:
    parts = [(f"[{source.n}] " if is_cited else "") + source_name(source)]
    if owner := owners.get(source.uri):
        parts.append(say("owner: {owner}", owner=safe_mrkdwn(shortened(owner, 80))))
    if source.updated_at:
        parts.append(say("updated {day}", day=say.day(source.updated_at)))
    if source.reviewed_until is not None and source.reviewed_until < utc_now():
        parts.append(say("⚠️ its review was due {day}", day=say.day(source.reviewed_until)))
    return " · ".join(parts)


def _length(blocks: Sequence[Block]) -> int:
    """Return how many characters blocks hold, generously."""
    return len(str(blocks))
