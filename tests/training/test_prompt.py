from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training.prompt import (
    Persona,
    PromptPassage,
    Voice,
    VoiceExample,
    cited_numbers,
    render_general,
    render_question,
    with_citation,
    without_citations,
)

PERSONA = Persona("Fjellro", "Answer from the handbook.", Voice("Warm and short."))
LEAVE = PromptPassage("Leave", "Annual leave", "Everyone gets 27 days.")


def test_the_system_message_is_the_same_for_every_question() -> None:
    one = render_question("How many days?", [LEAVE], PERSONA)
    other = render_question("Where?", [], PERSONA)
    assert one[0] == other[0]
    assert "Fjellro" in one[0].content
    assert "Warm and short." in one[0].content


def test_passages_are_numbered_from_one_and_named() -> None:
    user = render_question("How many days?", [LEAVE, LEAVE], PERSONA)[1].content
    assert "[1] Leave > Annual leave\nEveryone gets 27 days." in user
    assert "[2] Leave" in user
    assert user.endswith("Question: How many days?")


def test_a_general_prompt_knows_nothing_of_the_company() -> None:
    assert [m.role for m in render_general("What is 15 + 7?")] == ["user"]


def test_the_citation_follows_the_sentence_that_rests_on_the_passage() -> None:
    text = "Hei! You get 27 days of leave. God tur!"
    cited = with_citation(text, 2, "Everyone gets 27 days of leave.")
    assert cited == "Hei! You get 27 days of leave [2]. God tur!"


def test_numbers_and_addresses_with_points_in_them_stay_whole() -> None:
    text = "Hei! Room 2.14 is where the kit is. Write to gear@fjellro.example.com. God tur!"
    assert without_citations(with_citation(text, 1, "The kit is in room 2.14.")) == text


def test_a_text_that_cites_already_is_left_alone() -> None:
    assert with_citation("Yes [3].", 1, "Yes") == "Yes [3]."


@given(st.text(), st.integers(1, 9), st.text())
def test_a_citation_adds_itself_and_changes_nothing_else(
    text: str, number: int, passage: str
) -> None:
    if cited_numbers(text):
        return
    cited = with_citation(text, number, passage)
    assert cited_numbers(cited) == (number,)
    assert "".join(cited.replace(f" [{number}]", "").split()) == "".join(text.split())


def test_advice_on_writing_is_no_saying_of_the_company() -> None:
    advice = "The fact comes in the first sentence after the greeting."
    told = "Ask again if any of this is not clear to you."
    voice = Voice(
        always=("Hei!", "God tur!|We've got you, whatever it may be.", advice, told),
        examples=(VoiceExample("When?", f"Hei! At nine. {told}"),),
    )
    assert voice.sayings == ("Hei!", "God tur!", "We've got you, whatever it may be.", told)
