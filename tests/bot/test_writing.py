from __future__ import annotations

import threading

import pytest

from bot.grounding import GroundedWriter
from bot.inference.language_model import Generation, InferenceFailed, ModelUnavailable
from bot.writing import Cancelled, Written, write_down
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground

PASSAGE = Ground(
    "Leave > Annual leave",
    "Everyone gets 27 days of paid annual leave each year. Book your leave in Timely at least "
    "14 days ahead.",
)
QUESTION = "How many days of leave do I get?"


def _writer() -> GroundedWriter:
    check = GroundingCheck().read([PASSAGE], QUESTION)
    return GroundedWriter(check, [f"{PASSAGE.heading} {PASSAGE.text}"], QUESTION)


def _write(generation: Generation, shown: list[str], places: list[int] | None = None) -> Written:
    return write_down(
        generation,
        _writer(),
        on_text=shown.append,
        on_place=(places if places is not None else []).append,
        is_cancelled=lambda: False,
    )


def _said(*pieces: str, failure: Exception | None = None) -> Generation:
    generation = Generation()
    generation.begin()
    for piece in pieces:
        generation.add(piece)
    generation.end(failure)
    return generation


def test_a_supported_sentence_is_shown_as_it_was_written() -> None:
    shown: list[str] = []
    written = _write(_said("You get 27 days of paid annual", " leave each year."), shown)
    assert written.text == "".join(shown) == "You get 27 days of paid annual leave each year."
    assert (written.shown, written.replaced, written.dropped) == (1, 0, 0)


def test_a_changed_number_gives_way_to_the_page_s_own_words() -> None:
    shown: list[str] = []
    written = _write(_said("You get 72 days of paid annual leave each year. "), shown)
    assert "72" not in written.text
    assert "“Everyone gets 27 days of paid annual leave each year.” [1]" in written.text
    assert written.replaced == 1


def test_a_greeting_is_not_shown_before_there_is_something_to_say() -> None:
    shown: list[str] = []
    written = _write(_said("Hei! ", "The moon is made of cheese and honey. "), shown)
    assert shown == []
    assert written.text == ""
    assert written.dropped == 1
    again = _write(_said("Hei! ", "You get 27 days of paid annual leave each year."), shown)
    assert again.text.startswith("Hei!")
    assert "".join(shown) == again.text


def test_a_model_that_goes_round_in_circles_is_stopped() -> None:
    sentence = "Book your leave in Timely at least 14 days ahead. "
    generation = _said(*[sentence] * 50)
    written = _write(generation, [])
    assert written.text == sentence.strip()
    assert generation.is_cancelled


def test_the_same_sentence_with_another_citation_is_not_told_again() -> None:
    written = _write(
        _said(
            "Book your leave in Timely at least 14 days ahead [1]. ",
            "Book your leave in Timely at least 14 days ahead [2]. ",
        ),
        [],
    )
    assert written.text.count("Timely") == 1


def test_a_model_that_goes_on_with_the_prompt_is_stopped() -> None:
    generation = _said(
        "You get 27 days of paid annual leave each year.\n\n", f"Question: {QUESTION} ", "More."
    )
    written = _write(generation, [])
    assert written.text == "You get 27 days of paid annual leave each year."
    assert generation.is_cancelled


def test_what_was_shown_before_the_model_failed_stays() -> None:
    lost = ModelUnavailable("the server is gone")
    shown: list[str] = []
    written = _write(_said("You get 27 days of paid annual leave each year. ", failure=lost), shown)
    assert written.failure is lost
    assert written.text == "".join(shown).strip()


def test_a_model_that_fails_before_it_says_anything_is_reported() -> None:
    with pytest.raises(InferenceFailed, match="gone"):
        _write(_said(failure=ModelUnavailable("the server is gone")), [])


def test_who_waits_is_told_each_new_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.writing.LOOK_EVERY", 0.01)
    generation, places = Generation(), iter([3, 3, 2, 1])
    told: list[int] = []

    def place() -> int:
        now = next(places, 0)
        if now == 0:
            generation.end()
        return now

    generation.waits(place, lambda: None)
    _write(generation, [], told)
    assert told == [3, 2, 1]


def test_stop_is_heard_while_the_answer_waits_and_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.writing.LOOK_EVERY", 0.01)
    pressed = threading.Event()
    pressed.set()
    waiting, running = Generation(), _said("You get 27 days. ", "And more.")
    for generation in (waiting, running):
        with pytest.raises(Cancelled):
            write_down(
                generation,
                _writer(),
                on_text=lambda _: None,
                on_place=lambda _: None,
                is_cancelled=pressed.is_set,
            )
        assert generation.is_cancelled


def test_a_model_that_only_greets_has_its_greeting_kept_for_a_quotation() -> None:
    shown: list[str] = []
    written = _write(_said("Hei! You dance at 72 balls in the moonlit castle. God tur!"), shown)
    assert (written.text, shown) == ("", [])
    assert (written.greeting, written.farewell) == ("Hei!", "God tur!")
    told = _write(_said("Hei! You get 27 days of paid annual leave each year. God tur!"), shown)
    assert told.text.startswith("Hei! You get 27 days")
    assert (told.greeting, told.farewell) == ("", "")
