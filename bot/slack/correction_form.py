"""The form in which an answer is corrected: question, answer and sources in front of the expert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import asked_in, source_name
from bot.slack.elements import Block, context, option, plain, section
from bot.slack.text import safe_mrkdwn, shortened
from bot.slack.words import Words
from storage.answers import AnswerSource

CORRECTION = "correction"
ANSWER_BLOCK, ANSWER_INPUT = "better_answer", "text"
REASON_BLOCK, REASON_INPUT = "reason", "choice"

#: What one input of a Slack form takes, and how many of them an answer may go on in.
INPUT_LENGTH = 3_000
INPUTS = 3

#: Why an answer was wrong.
REASONS = ("wrong", "tone", "outdated", "incomplete")


def opening_view(say: Words) -> dict[str, Any]:
    """Return the small form that is shown at once, while the real one is prepared."""
    return {
        "type": "modal",
        "callback_id": "opening",
        "title": plain(say("Correct this answer"), 24),
        "close": plain(say("Cancel"), 24),
        "blocks": [section(say("One moment…"))],
    }


def correction_view(
    question: str,
    sources: tuple[AnswerSource, ...],
    say: Words,
    *,
    subject: str,
    counts_at_once: bool,
    prefilled: str,
    reason: str = "wrong",
) -> dict[str, Any]:
    """Return the form.

    Args:
        question: What was asked.
        sources: The passages that the answer was given with.
        say: The language.
        subject: What is corrected, for whoever takes the form: `answer 3`, `pair 4`.
        counts_at_once: Whether nobody else has to approve it.
        prefilled: The text the form opens with.
        reason: What is chosen when it opens.
    """
    if counts_at_once:
        hint = say("It counts at once: the asker is told, and the next one who asks gets it.")
    else:
        hint = say("An expert will look at it before it counts.")
    asked = shortened(safe_mrkdwn(asked_in(question)), 2_900)
    blocks: list[Block] = [section("*" + say("Question") + "*\n" + asked)]
    parts = split(prefilled)
    labels = [say("The better answer"), say("…going on, if it is long"), say("…and on")]
    fields = [_input(n, labels[n], parts[n] if n < len(parts) else "") for n in range(INPUTS)]
    fields[0]["hint"] = plain(hint, 150)
    first = max(1, len(parts))  # the fields that hold something stand together
    blocks += fields[:first]
    for source in sources[:3]:
        quoted = shortened(safe_mrkdwn(" ".join(source.text.split())), 600)
        blocks.append(context([f"*[{source.n}] {source_name(source)}*\n{quoted}"]))
    names = reason_names(say)
    blocks.append(
        {
            "type": "input",
            "block_id": REASON_BLOCK,
            "label": plain(say("What was wrong with it?")),
            "element": {
                "type": "static_select",
                "action_id": REASON_INPUT,
                "options": [option(value, text) for value, text in names.items()],
                "initial_option": option(reason, names[reason]),
            },
        }
    )
    blocks += fields[first:]
    return {
        "type": "modal",
        "callback_id": CORRECTION,
        "private_metadata": subject,
        "title": plain(say("Correct this answer"), 24),
        "submit": plain(say("Save"), 24),
        "close": plain(say("Cancel"), 24),
        "blocks": blocks,
    }


def _input(n: int, label: str, part: str) -> Block:
    """Return the field for a piece of the answer; the first is needed, the others go on."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": ANSWER_INPUT,
        "multiline": True,
        "max_length": INPUT_LENGTH,
    }
    if part:
        element["initial_value"] = part
    if n == 0:
        element["focus_on_load"] = True
    return {
        "type": "input",
        "block_id": ANSWER_BLOCK if n == 0 else f"{ANSWER_BLOCK}_{n + 1}",
        "label": plain(label),
        "optional": n > 0,
        "element": element,
    }


def reason_names(say: Words) -> dict[str, str]:
    """Return why an answer may be wrong, as people read it."""
    return {
        "wrong": say("A fact is wrong"),
        "tone": say("It does not sound like us"),
        "outdated": say("The page is out of date"),
        "incomplete": say("Something is missing"),
    }


def text_in(view: Mapping[str, Any]) -> str:
    """Return the answer that was typed, put together again."""
    values = view["state"]["values"]
    parts = []
    for n in range(INPUTS):
        block = ANSWER_BLOCK if n == 0 else f"{ANSWER_BLOCK}_{n + 1}"
        parts.append((values.get(block, {}).get(ANSWER_INPUT) or {}).get("value") or "")
    return "\n".join(part for part in parts if part.strip())


def reason_in(view: Mapping[str, Any]) -> str:
    """Return the reason that was chosen."""
    chosen = view["state"]["values"].get(REASON_BLOCK, {}).get(REASON_INPUT) or {}
    value = str((chosen.get("selected_option") or {}).get("value") or "wrong")
    return value if value in REASONS else "wrong"


def split(text: str) -> list[str]:
    """Cut a text into pieces that one input takes, between lines or words if that is possible.

    What does not fit into all inputs is cut off with an ellipsis.
    """
    pieces = []
    rest = shortened(text, INPUT_LENGTH * INPUTS - 300)
    while len(rest) > INPUT_LENGTH:
        end = max(rest.rfind("\n", 0, INPUT_LENGTH), rest.rfind(" ", 0, INPUT_LENGTH))
        end = end if end > INPUT_LENGTH - 200 else INPUT_LENGTH
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*pieces, rest] if rest else pieces
