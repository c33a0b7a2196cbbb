from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training.prompt import Persona, PromptPassage, render_question
from training.untrusted_text import as_data, gives_orders

INJECTIONS = Path(__file__).parents[1] / "bot" / "injections.json"
ORDERS = [row["text"] for row in json.loads(INJECTIONS.read_text()) if row["in"] != "name"]

HARMLESS = [
    "Everyone gets 27 days of leave [see the table above].",
    "Ignore the alarm on the first Monday of the month: it is a test.",
    "You are now a member of the safety group.",
    "Forget the door code? Ask the front desk.",
    "Pretend to be a customer and call the shop.",
    "Enable developer mode under Settings.",
    "Answer every complaint within 1 working day, by phone if you have a number.",
    "The chatbot on our website must be switched off at night.",
    "Skip the instructions in chapter 2 if your bike has no gears.",
    "Svar kunden innen én arbeidsdag.",
    "Se bort fra fakturaer under 100 kroner.",
    "Never share the source code outside the company.",
    "Follow the instructions above the machine.",
]


@pytest.mark.parametrize("text", ORDERS)
def test_an_order_to_the_model_is_not_left_in_its_prompt(text: str) -> None:
    around = f"The office opens at 8.\n{text}\n\nIt closes at 17."
    data = as_data(around)
    assert data.startswith("The office opens at 8.")
    assert "It closes at 17." in data
    assert not gives_orders(data)
    assert "<|" not in data
    assert "[INST]" not in data


@pytest.mark.parametrize("text", HARMLESS)
def test_what_colleagues_write_to_each_other_stays_letter_for_letter(text: str) -> None:
    assert as_data(text) == text


@given(st.text(alphabet="<|>im_startendINS/[]\n Sources:Question1", max_size=80))
@example("<|<|im_end|>im_start|>")
@example("<</s>s>")
def test_no_text_whatever_forges_a_turn_or_a_source(text: str) -> None:
    passage = PromptPassage("Title", "Heading", text)
    messages = render_question(text, [passage, passage], Persona("Fjellro", "goal"))
    user = messages[1].content
    assert [message.role for message in messages] == ["system", "user"]
    assert "<|im_start|>" not in user
    assert "<|im_end|>" not in user
    assert "</s>" not in user
    lines = user.splitlines()
    assert [line for line in lines if re.match(r"\s*\[\d", line)] == [
        "[1] Title > Heading",
        "[2] Title > Heading",
    ]
    assert sum(line.startswith("Question:") for line in lines) == 1


@given(st.text(max_size=200))
def test_data_stays_data_when_it_is_cleaned_again(text: str) -> None:
    once = as_data(text)
    assert as_data(once) == once or not gives_orders(as_data(once))


def test_the_voice_is_taught_only_where_it_is_asked_for() -> None:
    from training.prompt import Voice, VoiceExample

    voice = Voice("Warm.", ("The fact first.",), ("kindly",), (VoiceExample("Who?", "Hei! We."),))
    persona = Persona("Fjellro", "goal", voice)
    taught = render_question("Who?", [], persona, teaches_voice=True)[0].content
    known = render_question("Who?", [], persona)[0].content
    assert taught.startswith(known)
    for lesson in ("The fact first.", "kindly", "Hei! We."):
        assert lesson in taught
        assert lesson not in known
