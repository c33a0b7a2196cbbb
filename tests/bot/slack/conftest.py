"""A whole bot in a local workspace, with a small handbook and the real model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.app import Skredder
from bot.demo.stage import MANIFEST
from bot.home import Home
from bot.settings import load
from bot.slack.calls import new_client
from bot.slack.correction_form import CORRECTION
from bot.workspace.people import DEFAULT_CHANNELS, DEFAULT_PEOPLE, ChannelPlan, PersonPlan
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace
from storage import jobs, pairs
from storage.pairs import NewPair
from training.base_model import BaseModel

LEAVE = """---
title: Leave
owner: Ingrid Aasen
updated: 2026-05-04
---
# Leave

## Annual leave

Everyone at Fjellro gets 27 days of paid annual leave each year. Book your leave in Timely at least
14 days ahead. Up to 5 unused days may be moved to the next year.

## Parental leave

Parental leave at Fjellro is 49 weeks with full pay. Tell your manager 12 weeks before it begins.
"""

GEAR = """---
title: Gear
owner: Jonas Berg
---
# Gear

## Borrowing a tent

You borrow a tent from the gear store in room B12 in Bergen, on Thursdays from 14:00 to 16:00.
A tent may be kept for 10 days. Bring it back dry.
"""

VISITING = """# Visiting us

## Where guests park

Guests of Fjellro park behind the workshop in Bergen, and pay nothing for the first 3 hours.
"""

SETTINGS = """
goal = "Answer colleagues' questions from the handbook, in our voice."

[company]
name = "Fjellro"
contact = "the people team"

[people]
admins = ["{admin}"]
experts = ["{expert}"]

[[people.routes]]
topics = ["payroll"]
experts = ["{payroll}"]

[slack]
questions_per_minute = 1000
channel_questions_per_minute = 1000

[training]
enough_pairs = 500

[knowledge.audiences.public]
outsiders = true
"""

Json = dict[str, Any]


@dataclass
class Bot:
    """The workspace, the bot in it, and what a person looks at."""

    workspace: Workspace
    skredder: Skredder
    folder: Path

    def replies(self, ts: str, channel: str = "general") -> list[Json]:
        """Return what the bot has said in a thread."""
        thread = self.workspace.messages(channel, ts)
        return [m for m in thread if m.get("user") == self.workspace.bot_user_id]

    def answer_to(self, ts: str, channel: str = "general", seconds: float = 150) -> Json:
        """Wait until a finished answer stands in the thread, and return it."""

        def finished() -> list[Json]:
            return [m for m in self.replies(ts, channel) if _is_finished(m)]

        return self.workspace.wait_for(finished, seconds, "an answer")[0]

    def form_of(self, who: str) -> Json:
        """Wait until the correction form is on somebody's screen, and return it."""

        def forms() -> list[Json]:
            shown = self.workspace.views_of(who)
            return [view for view in shown if view["callback_id"] == CORRECTION]

        return self.workspace.wait_for(forms, 10, "the form")[-1]

    def write_page(self, channel: str, title: str, text: str) -> None:
        """Let a page be read in that only this channel may see."""
        folder = self.folder / channel / title
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{title.lower()}.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
        audience = self.workspace.channel(channel).id
        self.skredder.operations.perform("ingest", {"path": str(folder), "audience": audience})

    def verify(self, question: str, answer: str, author: str = "Ingrid") -> int:
        """Let an expert's answer be approved, and return the pair's id."""
        person = self.workspace.person(author).id
        with self.skredder.database.write() as session:
            pair = pairs.propose(
                session,
                NewPair(question, answer, author=person, origin="slack", origin_key=question),
            )
            self.skredder.corrections.approve_in(session, pair.id, person)
        self.skredder.wake_workers()
        return pair.id

    def wait(self, seen: Callable[[], Any], what: str, seconds: float = 30) -> Any:
        """Wait until something is so."""
        return self.workspace.wait_for(seen, seconds, what)

    def idle(self) -> None:
        """Wait until no job is left to do."""

        def is_idle() -> bool:
            with self.skredder.database.read() as session:
                return jobs.count_open(session) == 0

        time.sleep(0.5)
        self.wait(is_idle, "the jobs to be done", 60)

    def whispers_to(self, who: str) -> list[str]:
        """Return the texts that only this person sees, oldest first."""
        return [str(message["text"]) for message in self.workspace.ephemerals_of(who)]

    def ask(self, text: str, who: str = "Kari") -> Json:
        """Let somebody ask in #general, and return the answer's message."""
        return self.answer_to(self.workspace.person(who).mention("general", text))


def _is_finished(message: Json) -> bool:
    shown = str(message.get("blocks"))
    return "answer_feedback" in shown or "Error " in shown or "Feil " in shown


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Iterator[Bot]:
    """Open a workspace and start a bot that has read two pages."""
    with open_bot(tmp_path_factory.mktemp("bot"), base_model) as opened:
        yield opened


@contextmanager
def open_bot(folder: Path, base_model: BaseModel, settings: str = SETTINGS) -> Iterator[Bot]:
    """Open a workspace and start a bot that has read two pages, with settings of its own."""
    handbook = folder / "handbook"
    handbook.mkdir()
    (handbook / "leave.md").write_text(LEAVE, encoding="utf-8")
    (handbook / "gear.md").write_text(GEAR, encoding="utf-8")
    visitors = folder / "visitors"
    visitors.mkdir()
    (visitors / "visiting.md").write_text(VISITING, encoding="utf-8")
    workspace = Workspace(
        people=(*DEFAULT_PEOPLE, PersonPlan("Gil", "guest"), PersonPlan("Nora", locale="nb-NO")),
        channels=(*DEFAULT_CHANNELS, ChannelPlan("partners", is_shared=True)),
    )
    workspace.install(json.loads(MANIFEST.read_text(encoding="utf-8")))
    with WorkspaceServer(workspace) as server:
        file = folder / "skredder.toml"
        file.write_text(
            settings.format(
                admin=workspace.person("Sindre").id,
                expert=workspace.person("Ingrid").id,
                payroll=workspace.person("Tom").id,
            ),
            encoding="utf-8",
        )
        home = Home(folder / "home", shared_models=Path(base_model.folder).parent)
        with Skredder(home, load(file, {})) as skredder:
            skredder.operations.perform("ingest", {"path": str(handbook), "audience": "everyone"})
            skredder.operations.perform("ingest", {"path": str(visitors), "audience": "public"})
            skredder.connect(new_client(server.bot_token, server.base_url), server.app_token)
            workspace.wait_until_connected()
            yield Bot(workspace, skredder, folder)
