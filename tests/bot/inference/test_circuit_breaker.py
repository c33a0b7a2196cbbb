"""A server that fails again and again is left alone, then tried by one."""

from __future__ import annotations

from bot.inference.circuit_breaker import CircuitBreaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(3, 10, clock)
    for _ in range(3):
        assert breaker.allow()
        breaker.failed()
    return breaker


def test_failures_that_are_not_in_a_row_do_not_open_it() -> None:
    breaker = CircuitBreaker(3, 10)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.allow()


def test_three_failures_in_a_row_open_it_for_a_while() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert not breaker.is_closed
    clock.now = 9.9
    assert not breaker.would_allow()
    assert not breaker.allow()


def test_after_the_while_one_attempt_goes_through_and_success_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10
    assert breaker.would_allow()
    assert breaker.allow()
    assert not breaker.allow(), "only one probes"
    breaker.succeeded()
    assert breaker.allow()
    assert breaker.allow()


def test_a_probe_that_fails_opens_it_again_at_once() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10
    assert breaker.allow()
    breaker.failed()
    clock.now = 19.9
    assert not breaker.allow()
    clock.now = 20
    assert breaker.allow()


def test_a_probe_that_was_given_up_lets_another_probe() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10
    assert breaker.allow()
    breaker.told_nothing()
    assert breaker.allow()
