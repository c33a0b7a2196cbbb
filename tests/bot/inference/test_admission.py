"""In front of an engine: so many run, so many wait, each knows its place."""

from __future__ import annotations

import threading

import pytest

from bot.inference import language_model
from bot.inference.admission import Admission
from bot.inference.language_model import (
    Generation,
    GenerationOptions,
    InferenceBusy,
    InferenceFailed,
    WaitedTooLong,
)

OPTIONS = GenerationOptions(max_new_tokens=10)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def enter(admission: Admission[str], name: str, asker: str | None = None) -> Generation:
    return admission.enter(name, 100, OPTIONS, asker)


def test_as_many_run_as_may_and_the_rest_know_their_place() -> None:
    admission: Admission[str] = Admission(2, "v1")
    asked = [enter(admission, f"question {n}") for n in range(5)]
    admitted = admission.admit()
    assert [request.prompt for request in admitted] == ["question 0", "question 1"]
    assert [generation.place for generation in asked] == [0, 0, 1, 2, 3]
    assert asked[0].wait_for_turn(0)
    assert not asked[2].wait_for_turn(0)
    admission.leave(admitted[1])
    assert [request.prompt for request in admission.admit()] == ["question 2"]
    assert [generation.place for generation in asked] == [0, 0, 0, 1, 2]


def test_one_asker_with_many_questions_leaves_the_next_turn_to_another() -> None:
    admission: Admission[str] = Admission(1, "v1")
    for n in range(10):
        enter(admission, f"kari {n}", "Kari")
    tom = enter(admission, "tom", "Tom")
    (running,) = admission.admit()
    assert tom.place == 1
    admission.leave(running)
    assert admission.admit()[0].prompt == "tom"


def test_a_question_given_up_while_it_waits_ends_at_once_and_frees_its_place() -> None:
    admission: Admission[str] = Admission(1, "v1")
    enter(admission, "first")
    second, third = enter(admission, "second"), enter(admission, "third")
    admission.admit()
    second.cancel()
    assert second.text() == ""
    assert third.place == 1


def test_a_turn_that_does_not_come_in_time_ends_with_a_plain_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(language_model, "LONGEST_WAIT", 30)
    clock = Clock()
    admission: Admission[str] = Admission(1, "v1", clock=clock)
    enter(admission, "first")
    late = enter(admission, "late")
    admission.admit()
    clock.now = 31
    assert admission.seconds_to_next_expiry() == 0
    admission.admit()
    with pytest.raises(WaitedTooLong, match="within 30 seconds"):
        late.text()


def test_a_full_queue_is_refused_with_how_many_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "LONGEST_QUEUE", 3)
    admission: Admission[str] = Admission(1, "v1")
    for n in range(3):
        enter(admission, f"question {n}")
    (running,) = admission.admit()
    with pytest.raises(InferenceBusy, match="3 answers"):
        enter(admission, "one too many")
    admission.leave(running)
    assert enter(admission, "now there is room").place == 3


def test_what_waits_is_still_let_in_after_closing_and_nothing_new_is_taken() -> None:
    admission: Admission[str] = Admission(1, "v1")
    enter(admission, "first")
    admission.close()
    with pytest.raises(InferenceFailed, match="v1 is closed"):
        enter(admission, "second")
    assert not admission.is_empty()
    (running,) = admission.admit()
    admission.leave(running)
    assert admission.is_empty()


def test_many_threads_at_once_get_one_end_each() -> None:
    arrived = threading.Event()
    admission: Admission[str] = Admission(3, "v1", arrived.set)
    ended: list[str] = []

    def ask(n: int) -> None:
        generation = enter(admission, str(n), f"person {n % 5}")
        if n % 4 == 0:
            generation.cancel()
        ended.append(generation.text())

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        arrived.wait(0.05)
        arrived.clear()
        for request in admission.admit():
            request.generation.add("said")
            admission.leave(request)
    assert len(ended) == 60
    assert ended.count("said") >= 45
    assert admission.is_empty()
