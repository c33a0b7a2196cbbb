"""An office whose people have asked and corrected, for the tests of erasing one of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from bot.erasing import Erasing
from bot.home import Home
from bot.learning import Learning
from knowledge.embedder import MiniLmEmbedder
from knowledge.keyword_index import KeywordEntry, KeywordIndex
from knowledge.passage_index import PassageIndex
from knowledge.serving_index import Serving, ServingIndex
from knowledge.verified import VerifiedAnswers, questions_from
from storage import (
    answers,
    inbox,
    jobs,
    pair_holds,
    pairs,
    questions,
    runs,
    snapshots,
    versions,
    votes,
)
from storage.answers import AnswerSource, NewAnswer
from storage.database import Database
from storage.pairs import NewPair
from storage.tables import Table

EMBEDDER = MiniLmEmbedder()  # loaded when it is first asked

EVA, BO, BOSS = "U0EVA", "U0BO", "U0BOSS"
DIRECT = "D0EVA"

ASKED = "My Øyvind has broken his leg in Hemsedal, may I stay at home with him?"
FIXED = "Hei! Stay with zebra-blue Øyvind for ten days, and tell the quokka desk. God tur!"
WHY = "The old answer forgot that quokka desks close on marmot Mondays."
BO_ASKED = "Where do I find the ladder for the upper shelves?"
BO_FIXED = "Hei! The ladder hangs in the shed behind the house. God tur!"

#: Whole words of Eva's that nobody else used, as they may stand in any file.
MARKS = ("Hemsedal", "zebra-blue", "quokka", "marmot", "Øyvind", "\\u00d8yvind")


class Office:
    """An installation in which Eva and Bo have asked, corrected and decided."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.home = Home(root).make()
        self.index = PassageIndex(self.home.index, EMBEDDER.name)
        self.keywords = KeywordIndex(self.home.index / "keywords.db")
        self.keywords.add("everyone", [KeywordEntry("1", "Ladder", "The ladder is in the shed.")])
        verified = VerifiedAnswers(
            ServingIndex(Serving(EMBEDDER, self.index)), questions_from(database)
        )
        self.learning = Learning(database, verified)
        self.erasing = Erasing(database, self.home, self.learning.reconcile)
        self.handler = RotatingFileHandler(self.home.logs / "skredder.log", encoding="utf-8")
        logging.getLogger().addHandler(self.handler)

    def ask(self, user: str, text: str, place: str, channel: str, answered: str) -> int:
        """Let somebody ask in Slack and get an answer. Returns the answer's id."""
        with self.database.write() as session:
            event = {
                "type": "message",
                "user": user,
                "text": f"<@UBOT> {text}",
                "ts": str(len(text)),
            }
            inbox_id = inbox.accept(session, f"e{text}", "event", "T1", {"event": event})
            jobs.enqueue(session, "answer", {"asked": text}, key=f"j{text}", inbox_id=inbox_id)
            question = questions.record(
                session, team_id="T1", channel=channel, ts=str(len(text)), thread_ts=str(len(text)),
                user_id=user, place=place, text=text,
            )  # fmt: skip
            assert question is not None
            source = AnswerSource(1, "p", "a.md", "A", "A", "The page.", "everyone", None, True)
            answer = answers.record(
                session, NewAnswer(question, "grounded", answered, "base", (source,))
            )
            votes.cast(session, answer.id, user, -1)
        return answer.id

    def correct(self, user: str, question: str, text: str, answer_id: int | None) -> int:
        with self.database.write() as session:
            pair = pairs.propose(
                session,
                NewPair(question, text, user, "slack", f"v{text}", answer_id=answer_id,
                        reason=WHY, holds=(f'It says "{text}".',)),
            )  # fmt: skip
            pair_holds.release(session, pair.id, user, WHY)
            pairs.approve(session, pair.id, user)
            view = {"state": {"values": {"b": {"a": {"type": "x", "value": text}}}}}
            quoted = {"blocks": [{"text": f"You asked: {question[:50]}…"}], **view}
            inbox.accept(session, f"v{text}", "view", "T1", {"user": {"id": user}, "view": quoted})
        return pair.id

    def train(self, pair_ids: list[int]) -> None:
        """Make a snapshot of pairs, a run on it, and a version that answers."""
        folder = self.home.runs / "snapshots"
        folder.mkdir(parents=True)
        with self.database.write() as session:
            rows = [pairs.get(session, pair_id) for pair_id in pair_ids]
            for digest in ("a" * 64, "b" * 64):
                kept = rows if digest.startswith("a") else rows[1:]
                content = [{"question": row.input, "answer": row.output} for row in kept]
                lines = [json.dumps(each, ensure_ascii=False) for each in content]
                (folder / f"{digest}.jsonl").write_text("\n".join(lines), encoding="utf-8")
            snapshot = snapshots.register(
                session, "a" * 64, prompt_version="2", seed=1, train=pair_ids, held_out=[],
                replay_rows=0,
            )  # fmt: skip
            run = runs.propose(session, "2026-11", EVA)
            claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
            runs.set_snapshot(session, run.id, claimed.attempt, snapshot.id)
            report = {"samples": [{"question": rows[0].input, "said": rows[0].output}]}
            runs.finish(session, run.id, claimed.attempt, "passed", message="ok", report=report)
            made = versions.register(
                session, "v1", run_id=run.id, folder="training/versions/v1", manifest_sha256="0"
            )
            versions.ensure_base(session)
            versions.judge(session, made.id, "passed")
            versions.promote(session, made.id, expected_revision=0, actor=EVA, reason=WHY)
        record = self.home.runs / "runs" / str(run.id) / "report.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps(report))

    def close(self) -> None:
        logging.getLogger().removeHandler(self.handler)
        self.handler.close()
        self.keywords.close()
        self.index.close()


@contextmanager
def opened_office(database: Database, root: Path) -> Iterator[Office]:
    """Open the office, with a version that answers and has learned from all of it."""
    made = Office(database, root)
    hers = made.ask(EVA, ASKED, "dm", DIRECT, f"Hei! You asked: {ASKED} Ten days.")
    bos = made.ask(BO, BO_ASKED, "mention", "C1", f"Hei! {FIXED}")
    ids = [
        made.correct(EVA, BO_ASKED, FIXED, bos),  # her answer to his question
        made.correct(BO, "Who has the spare key for the shed?", BO_FIXED, None),  # nothing of hers
    ]
    ids.append(made.correct(BO, ASKED, "Hei! Yes, ten days each year. God tur!", hers))
    made.train(ids)
    made.learning.reconcile()
    logging.getLogger("bot").error("a library said: %s for user=%s", ASKED, EVA)
    yield made
    made.close()


def files_with_marks(root: Path) -> list[str]:
    """Return the files in which a word of Eva's stands."""
    marks = [mark.encode() for mark in MARKS]
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and any(mark in path.read_bytes() for mark in marks)
    ]


def rows_with_marks(database: Database) -> list[tuple[str, Any]]:
    """Return the rows in which a word of Eva's stands, with their tables."""
    found: list[tuple[str, Any]] = []
    with database.read() as session:
        for table in Table.metadata.sorted_tables:
            for row in session.execute(table.select()):
                text = json.dumps(list(row), default=str, ensure_ascii=False)
                if any(mark in text for mark in MARKS):
                    found.append((table.name, text))
    return found
