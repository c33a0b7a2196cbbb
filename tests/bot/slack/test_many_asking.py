"""Many ask at once: everybody is answered, askers take turns, and who waits sees the place."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from tests.bot.slack.conftest import SETTINGS, Bot, open_bot
from training.base_model import BaseModel

#: Questions that the handbook answers, each in words of its own, so that none is a repeat.
ASKED = [
    f"{opening} {rest}"
    for opening in ("Please tell me,", "I wonder,", "Hello,", "Quick one:", "Sorry to ask,")
    for rest in (
        "how many days of annual leave do I get?",
        "how many weeks is parental leave?",
        "for how many days may a tent be kept?",
        "in which room is the gear store?",
    )
]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Iterator[Bot]:
    settings = SETTINGS + "\n[model]\nconcurrent = 1\n"
    with open_bot(tmp_path_factory.mktemp("bot"), base_model, settings) as opened:
        yield opened


class _Halted:
    """A pipeline that does nothing until it is let go."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self.let_go = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)

    def step(self) -> None:
        self.let_go.wait(120)
        self._pipeline.step()


def test_who_asks_once_does_not_wait_for_who_asks_twenty_times(bot: Bot) -> None:
    bot.ask("How many days of annual leave do I get?")  # the model is loaded
    with bot.skredder.models.lease() as engine:
        slow: Any = engine
        halted = slow._pipeline = _Halted(slow._pipeline)
    kari, tom = bot.workspace.person("Kari"), bot.workspace.person("Tom")
    try:
        many = [kari.mention("people", question) for question in ASKED]
        bot.wait(lambda: _places(bot, many) == set(range(1, len(many))), "everybody's place")
        one = tom.mention("general", "Until when may I bring a tent back on Thursdays?")
        bot.wait(lambda: _places(bot, [one]), "Tom's place")
        assert max(_places(bot, [one])) <= 2
    finally:
        halted.let_go.set()
    bot.answer_to(one)
    for ts in many:
        bot.answer_to(ts, "people")
    bot.idle()
    assert all(len(bot.replies(ts, "people")) == 1 for ts in many)


def _places(bot: Bot, threads: Collection[str]) -> set[int]:
    """Return the places in the queue that were told in threads."""
    told = bot.workspace.ledger.calls("assistant.threads.setStatus")
    shown = [str(call.arguments) for call in told if call.arguments["thread_ts"] in threads]
    numbers = (re.search(r"yours is number (\d+)", status) for status in shown)
    return {int(number.group(1)) for number in numbers if number}
