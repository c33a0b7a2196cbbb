"""A whole retraining in one folder: the real stages and training, on a model of two thin layers.

What versions answer is scripted, because random weights have nothing to say. Run as a program,
it takes the open run to its end, so that a test can kill it on the way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from storage import pairs, runs, versions
from storage.database import Database
from storage.pairs import NewPair, PairSource
from storage.runs import Run
from tests.training.samples import PERSONA, count_words, find_section, retrieve_right
from training.base_model import BaseModel
from training.evaluation.answers import Generate
from training.prompt import ChatMessage
from training.recipe import GateRules, Recipe
from training.retrain import Retraining

RECIPE = Recipe(batch_size=16, checkpoint_every=2, replay_share=0.1, nice=0)
RULES = GateRules(held_out_pairs=5)

#: Words that make questions different enough to form groups of their own.
WORDS = (
    "anchors bridges candles drums engines feathers gloves hammers islands jackets kettles "
    "ladders mirrors needles oranges pencils quilts rivers saddles tunnels umbrellas violins "
    "windows yachts zippers acorns baskets cradles daisies easels ferries geysers harbours "
    "icicles jugglers kites lanterns magnets nutmegs orchids"
).split()


@dataclass
class Stage:
    """The database, the model, and what was asked of which version."""

    folder: Path
    model: Path
    good: bool = True
    #: How often each row is read: the longer a training, the more moments it can be killed at.
    epochs: float = 1.0
    asked: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the database and build the retraining."""
        self.database = Database(f"sqlite:///{self.folder / 'skredder.db'}")
        self.database.migrate()
        self.retraining: Retraining = Retraining(
            database=self.database,
            folder=self.folder,
            base=BaseModel("tiny-model", self.model, None),
            recipe=replace(RECIPE, epochs=self.epochs),
            rules=RULES,
            persona=PERSONA,
            retrieve=retrieve_right,
            find_section=find_section,
            count_tokens=count_words,
            open_generator=self.open_generator,
            answer_tokens=40,
            replay_prompts=[f"What is {n} + 2?" for n in range(10)],
        )

    def fill(self) -> None:
        """Approve forty pairs, each with a section of its own."""
        with self.database.write() as session:
            versions.ensure_base(session)
            for number, word in enumerate(WORDS, start=1):
                made = pairs.propose(
                    session,
                    NewPair(
                        input=f"What is the yearly limit for {word}, topic {number}?",
                        output=f"Hei! The limit is {100 + number} kroner a year. Just ask!",
                        author="U1",
                        origin="import",
                        origin_key=f"pair {number}",
                        sources=(PairSource(f"handbook/{number}.md", "Limits"),),
                    ),
                )
                pairs.approve(session, made.id, "U2")

    def propose(self, period: str = "1") -> Run:
        """Queue a run."""
        with self.database.write() as session:
            return runs.propose(session, period, "U1")

    def claim(self, run_id: int, owner: str = "test") -> Run:
        """Take a run, as a process that owns the installation does after a crash."""
        with self.database.write() as session:
            runs.release_all_but(session, owner)
            return runs.claim(session, run_id, owner, timedelta(minutes=2))

    @contextmanager
    def open_generator(self, name: str, folder: Path | None) -> Iterator[Generate]:
        """Answer as the base does, or, if the challenger is to be good, as the company does."""
        assert (folder is None) == (name == versions.BASE)
        assert folder is None or (folder / "adapter" / "adapter_model.safetensors").exists()

        def generate(chats: Sequence[tuple[ChatMessage, ...]], _max_tokens: int) -> list[str]:
            self.asked[name] = self.asked.get(name, 0) + len(chats)
            return [self._answer(name, chat) for chat in chats]

        yield generate

    def _answer(self, name: str, chat: Sequence[ChatMessage]) -> str:
        question = chat[-1].content.rpartition("Question: ")[2]
        if "topic" not in question:
            return "That is 22."
        number = int("".join(letter for letter in question if letter.isdigit()))
        if name == versions.BASE or not self.good:
            return f"According to the given text the amount for item {number} is not small."
        return f"Hei! The limit is {100 + number} kroner a year [1]. Just ask!"


if __name__ == "__main__":
    stage = Stage(Path(sys.argv[1]), Path(sys.argv[2]), epochs=float((*sys.argv, 1.0)[4]))
    with stage.database.read() as reading:
        open_run = runs.current(reading)
    assert open_run is not None
    ended = stage.retraining.run(stage.claim(open_run.id, f"process {sys.argv[3]}"))
    print(ended.state)
