from __future__ import annotations

import pytest

from knowledge.sources.slack_talk import Message, Talk
from knowledge.sources.slack_threads import (
    AnsweredThread,
    UnansweredThread,
    asks,
    find_answers,
)

ASKER, EXPERT, OTHER = "U1", "U2", "U3"


def _thread(*said: tuple[str, str], marked: int | None = None, gap: int = 10) -> Talk:
    """Make a thread of who said what; the asker marks one message as right."""
    talk = Talk()
    for place, (user, text) in enumerate(said):
        ts = f"{1000 + gap * place}.000000"
        given = {"+1::skin-tone-2": (ASKER,)} if place == marked else {"eyes": (ASKER,)}
        talk.messages[ts] = Message(ts, "1000.000000", user, user, "", text, text, (), given)
    return talk


def _found(talk: Talk) -> AnsweredThread | UnansweredThread:
    (found,) = find_answers(talk, lambda user: user == EXPERT)
    return found


def _answer(talk: Talk) -> list[str]:
    found = _found(talk)
    assert isinstance(found, AnsweredThread), found
    return [message.text for message in found.answer]


QUESTION = (ASKER, "Where do I park my bike?")


def test_the_first_trusted_reply_that_says_something_is_the_answer() -> None:
    talk = _thread(
        QUESTION,
        (OTHER, "In the yard, I am quite sure."),
        (EXPERT, "Which bike?"),
        (ASKER, "the blue one"),
        (EXPERT, "In the cellar, behind the stairs."),
        (OTHER, "ah"),
        (EXPERT, "There is a pump there, too."),
    )
    assert _answer(talk) == ["In the cellar, behind the stairs."]


def test_what_the_asker_marked_or_thanked_for_is_the_answer() -> None:
    said = (
        QUESTION,
        (EXPERT, "In the yard behind the house."),
        (ASKER, "it is full"),
        (EXPERT, "Then in the cellar, behind the stairs."),
    )
    assert _answer(_thread(*said)) == ["In the yard behind the house."]
    assert _answer(_thread(*said, marked=3)) == ["Then in the cellar, behind the stairs."]
    thanked = _thread(*said, (ASKER, "Tusen takk!"))
    assert _answer(thanked) == ["Then in the cellar, behind the stairs."]
    assert _found(thanked).is_confirmed  # type: ignore[union-attr]


def test_messages_in_a_row_are_one_reply_unless_time_passes() -> None:
    said = (QUESTION, (EXPERT, "In the cellar, behind"), (EXPERT, "the stairs on the left."))
    assert len(_answer(_thread(*said))) == 2
    assert len(_answer(_thread(*said, gap=3600))) == 1


def test_what_somebody_takes_back_at_once_is_no_answer() -> None:
    talk = _thread(
        QUESTION, (EXPERT, "In the yard behind the house."), (EXPERT, "Sorry, in the cellar it is.")
    )
    assert _answer(talk) == ["Sorry, in the cellar it is."]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([(ASKER, "Lunch!"), (EXPERT, "I am on my way already.")], "nothing was asked"),
        ([QUESTION], "nobody replied"),
        ([QUESTION, (ASKER, "found it in the cellar myself")], "nobody replied"),
        ([QUESTION, (OTHER, "In the cellar, behind the stairs.")], "nobody trusted replied"),
        ([QUESTION, (EXPERT, "No idea")], "the replies say too little"),
    ],
)
def test_a_thread_that_is_no_proposal_says_why(said: list[tuple[str, str]], why: str) -> None:
    assert _found(_thread(*said)) == UnansweredThread("1000.000000", why)  # type: ignore[arg-type]


def test_an_expert_s_own_question_is_not_answered_by_themselves() -> None:
    talk = _thread((EXPERT, "Where is the key?"), (EXPERT, "Never mind, it was in my pocket."))
    assert isinstance(_found(talk), UnansweredThread)


def test_a_short_reply_with_a_fact_says_enough() -> None:
    assert _answer(_thread(QUESTION, (EXPERT, "Room 302"))) == ["Room 302"]
    link = (EXPERT, "see <https://acme.example/bikes>")
    assert _answer(_thread(QUESTION, link)) == [link[1]]


@pytest.mark.parametrize(
    ("text", "is_question"),
    [
        ("Where do I park", True),
        ("hei! noen som vet hvor nøkkelen er", True),
        ("Quick question: how do I log in", True),
        ("I wonder where the key is?", True),
        ("See <https://acme.example/?a=b> for more", False),
        ("Run `who?` first, please", False),
        ("The office is closed", False),
        ("??", False),
    ],
)
def test_questions_are_told_from_other_messages(text: str, is_question: bool) -> None:
    assert asks(text) is is_question
