"""Askers who each ask the next question as soon as they have their answer; what they see."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Said:
    """One answer: when its first words came and when it was whole, in seconds after asking."""

    first_seconds: float
    whole_seconds: float
    tokens: int


@dataclass(frozen=True)
class Figures:
    """What so many askers at once saw of one way to answer."""

    who: str
    askers: int
    answers: int
    first_p50: float
    first_p95: float
    tokens_a_second: float
    answers_a_minute: float
    peak_mb: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)


#: Answers question `n`; returns what was seen.
Ask = Callable[[int], Said]


def measure_askers(who: str, ask: Ask, askers: int, answers: int) -> Figures:
    """Let `askers` ask until `answers` have been begun, and wait for all of them.

    Raises:
        RuntimeError: an answer failed.
    """
    numbers = itertools.count()
    said: list[Said] = []
    failures: list[BaseException] = []

    def work() -> None:
        while (n := next(numbers)) < answers and not failures:
            try:
                said.append(ask(n))
            except BaseException as failure:
                failures.append(failure)

    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise RuntimeError(f"{who}: an answer failed") from failures[0]
    firsts = sorted(one.first_seconds for one in said)
    return Figures(
        who=who,
        askers=askers,
        answers=len(said),
        first_p50=statistics.median(firsts),
        first_p95=percentile(firsts, 0.95),
        tokens_a_second=sum(one.tokens for one in said) / seconds,
        answers_a_minute=len(said) / seconds * 60,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of `ordered` that `share` of them do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def watch(pieces: object, count_tokens: Callable[[str], int]) -> Said:
    """Read a stream of pieces of text to its end."""
    began = time.perf_counter()
    first: float | None = None
    text = ""
    for piece in pieces:  # type: ignore[attr-defined]
        if piece and first is None:
            first = time.perf_counter() - began
        text += piece
    whole = time.perf_counter() - began
    return Said(whole if first is None else first, whole, count_tokens(text))
