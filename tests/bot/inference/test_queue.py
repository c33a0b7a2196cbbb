"""The waiting line: askers take turns, short ones pass long ones, nobody waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.inference.queue import FairQueue

SHORT, LONG = 10, 1000


def queue_of(*entries: tuple[str, str | None, int], seconds: float = 60) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue(seconds)
    for name, asker, cost in entries:
        queue.put(name, cost=cost, now=0, asker=asker)
    return queue


def drained(queue: FairQueue[str]) -> list[str]:
    taken = []
    while (item := queue.take()) is not None:
        taken.append(item)
    return taken


def test_equal_questions_of_different_people_go_in_the_order_they_came() -> None:
    assert drained(queue_of(("a", "A", 10), ("b", "B", 10), ("c", "C", 10))) == ["a", "b", "c"]


def test_somebody_with_one_question_does_not_wait_for_all_of_somebody_elses() -> None:
    many = [(f"kari {n}", "Kari", SHORT) for n in range(20)]
    queue = queue_of(*many, ("tom", "Tom", SHORT))
    assert queue.place("tom") == 2
    order = drained(queue)
    assert order.index("tom") == 1
    assert [item for item in order if item != "tom"] == [name for name, _, _ in many]


def test_a_long_question_does_not_hold_up_short_ones() -> None:
    assert drained(queue_of(("long", "Kari", LONG), ("short", "Tom", SHORT)))[0] == "short"


def test_a_long_question_is_not_passed_for_ever() -> None:
    queue = queue_of(("long", "Kari", LONG))
    taken = []
    for n in range(1000):
        queue.put(f"short {n}", cost=SHORT, now=0, asker=f"person {n}")
        taken.append(queue.take())
        if taken[-1] == "long":
            break
    assert len(taken) <= LONG // SHORT + 1


def test_who_has_just_been_served_does_not_go_before_who_waits() -> None:
    queue = queue_of(("kari 1", "Kari", 10), ("tom", "Tom", 15))
    assert queue.take() == "kari 1"
    queue.put("kari 2", cost=10, now=0, asker="Kari")
    assert drained(queue) == ["tom", "kari 2"]


def test_what_was_given_up_is_not_held_against_its_asker() -> None:
    queue = queue_of(("kari long", "Kari", LONG), ("kari", "Kari", SHORT), ("tom", "Tom", 50))
    assert queue.place("kari") == 3
    assert queue.remove("kari long")
    assert not queue.remove("kari long")
    assert queue.place("kari") == 1
    assert drained(queue) == ["kari", "tom"]


def test_what_has_waited_too_long_is_handed_out_as_expired_once() -> None:
    queue = queue_of(("old", "Kari", SHORT), seconds=30)
    queue.put("new", cost=SHORT, now=20, asker="Tom")
    assert queue.next_expiry() == 30
    assert queue.take_expired(29) == []
    assert queue.take_expired(30) == ["old"]
    assert queue.take_expired(30) == []
    assert drained(queue) == ["new"]
    assert queue.next_expiry() is None


def test_what_is_not_in_the_line_has_no_place() -> None:
    assert queue_of(("a", None, 1)).place("b") == 0


ENTRIES = st.lists(st.tuples(st.sampled_from(["A", "B", "C", None]), st.integers(1, 50)))


@given(entries=ENTRIES)
def test_places_foretell_the_order_and_everything_is_taken_once(
    entries: list[tuple[str | None, int]],
) -> None:
    named = [(str(n), asker, cost) for n, (asker, cost) in enumerate(entries)]
    queue = queue_of(*named)
    by_place = sorted((name for name, _, _ in named), key=queue.place)
    assert [queue.place(item) for item in by_place] == list(range(1, len(entries) + 1))
    assert drained(queue) == by_place


@given(costs=st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_two_people_who_always_wait_get_equal_shares(costs: list[int]) -> None:
    queue = queue_of(
        *((f"A{n}", "A", cost) for n, cost in enumerate(costs)),
        *((f"B{n}", "B", 10) for n in range(300)),
    )
    had = {"A": 0, "B": 0}
    costs_of = {f"A{n}": cost for n, cost in enumerate(costs)}
    for _ in range(len(costs)):
        item = queue.take()
        assert item is not None
        had[item[0]] += costs_of.get(item, 10)
        if had["A"] == sum(costs):
            break
        assert abs(had["A"] - had["B"]) <= 2 * 50
