"""The sample company, read in once, and the prompts that its ten longest questions become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.app import Skredder
from bot.demo import company_files
from bot.home import Home
from bot.settings import load
from tests.benchmarks.asking_ways import Prompt
from training.prompt import ChatMessage

QUESTIONS = 10


@contextmanager
def open_company(folder: Path) -> Iterator[Skredder]:
    """Open an installation that has read the handbook; no pairs, so that the model answers."""
    home = Home(folder).make()
    if not home.settings.is_file():
        settings = company_files.demo_settings(["U1"], ["U2"])
        home.settings.write_text(settings, encoding="utf-8")
    with Skredder(home, load(home.settings)) as skredder:
        skredder.operations.perform(
            "ingest", {"path": str(company_files.HANDBOOK), "audience": "everyone"}, lambda _: None
        )
        yield skredder


def collect_prompts(folder: Path, target: Path) -> None:
    """Ask the longest questions, and write down what reached the model.

    A question that the bot answers without the model (because it finds nothing) is passed over.
    """
    lines = (company_files.FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = sorted((json.loads(line)["question"] for line in lines), key=len, reverse=True)
    found: list[dict[str, Any]] = []
    with open_company(folder) as skredder:
        render = skredder.answering.prompt
        reached: list[tuple[ChatMessage, ...]] = []

        def recording(*arguments: Any, **named: Any) -> tuple[ChatMessage, ...]:
            reached.append(render(*arguments, **named))
            return reached[-1]

        skredder.answering.prompt = recording  # type: ignore[method-assign]
        for question in questions:
            reached.clear()
            skredder.answering.answer(question, {"everyone"})
            if reached and len(found) < QUESTIONS:
                messages = [[message.role, message.content] for message in reached[-1]]
                found.append({"question": question, "messages": messages})
    if not found:
        raise RuntimeError("no question reached the model")
    target.write_text(json.dumps(found), encoding="utf-8")


def read_prompts(path: Path) -> list[Prompt]:
    """Return the prompts that were written down."""
    return [
        Prompt(
            entry["question"],
            tuple(ChatMessage(role, content) for role, content in entry["messages"]),
        )
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]


def made_new(prompts: list[Prompt], round_number: int) -> list[Prompt]:
    """Return the prompts with passages that no cache has seen; the system message is shared."""
    renewed = []
    for n, prompt in enumerate(prompts):
        system, *rest = prompt.messages
        mark = f"Ticket {round_number}-{n}.\n"
        last = ChatMessage("user", mark + rest[-1].content)
        renewed.append(Prompt(mark + prompt.question, (system, *rest[:-1], last)))
    return renewed
