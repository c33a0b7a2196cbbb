"""Erasing a person: their words out of every table and file, their pairs out of use, and the proof.

What a model has learned cannot be taken out of its weights. So the report names each version that
learned from the person's pairs, and what to do to get a model without them.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.erasing_files import Found, clean_files, clean_logs, files_with
from bot.home import Home
from storage import audit, erasure, jobs, pairs, runs
from storage.clock import utc_now
from storage.database import Database, DatabaseUnusable
from storage.erasure import Written
from storage.pair_uses import Uses, uses_of
from storage.traces import Traces

log = logging.getLogger(__name__)

Progress = Callable[[dict[str, Any]], None]

#: What Slack calls people. A name, as imported files have it, stands for others and in pages, too.
_IS_ID = re.compile(r"[UW][A-Z0-9]+")

#: The stages, as the bar names them.
_STAGES = (
    "Gathering what they wrote",
    "Withdrawing their pairs",
    "Verified answers",
    "Every table",
    "Snapshots, runs and logs",
    "Writing the database anew",
    "Looking whether anything is left",
)


class NobodyToErase(Exception):
    """Nothing of this person is known; the message says how to find the id."""


@dataclass(frozen=True)
class RetrainPlan:
    """What is to be done about the models.

    Attributes:
        is_needed: Whether any version learned from the person's pairs.
        pairs_left: How many pairs may train, and measure, without theirs.
        steps: What to do, in sentences, in order.
    """

    is_needed: bool
    pairs_left: dict[str, int]
    steps: tuple[str, ...]


@dataclass(frozen=True)
class ErasureReport:
    """What was erased, what was made with it, and what is left to do.

    Attributes:
        user: The person's id, here for the last time.
        stands_for: What stands in its place everywhere but in the audit log.
        questions: How many of their questions were emptied, with the answers they got.
        pairs: How many pairs with answers of theirs were withdrawn and emptied.
        asked_pairs: How many pairs with questions of theirs were, too.
        rows: In how many other rows copies were taken out, by table.
        files: The files that were deleted or rewritten.
        uses: The snapshots, runs and versions that had pairs of theirs.
        plan: What to do about the models.
        left: Where something still stands, by table or file; empty when all is gone.
        kept: What is kept on purpose, in sentences.
    """

    user: str
    stands_for: str
    actor: str
    at: str
    is_dry: bool
    questions: int
    pairs: int
    asked_pairs: int
    rows: dict[str, int]
    files: tuple[Found, ...]
    uses: Uses
    plan: RetrainPlan
    left: dict[str, int]
    kept: tuple[str, ...]

    @property
    def is_gone(self) -> bool:
        """Whether nothing of the person was found any more."""
        return not self.left


class Erasing:
    """Erases people from one installation. What was done half is finished by doing it again."""

    def __init__(
        self, database: Database, home: Home, reconcile_verified: Callable[[], int]
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            home: Where snapshots, runs, indexes and logs lie.
            reconcile_verified: Takes what is not approved out of the index of verified answers.
        """
        self._database = database
        self._home = home
        self._reconcile_verified = reconcile_verified

    def run(
        self, user: str, actor: str, *, is_dry: bool, on_progress: Progress = lambda _: None
    ) -> ErasureReport:
        """Erase a person, and write the report to the home's folder `erasures`.

        Args:
            user: Their Slack user id, or the name that an imported file gives an author.
            actor: Who erases.
            is_dry: Whether only to tell what would be erased, and what was made with it.
            on_progress: Called with `done`, `total` and `name`.

        Raises:
            NobodyToErase: nothing of this person is known.
        """

        def stage(number: int) -> None:
            on_progress({"done": number, "total": len(_STAGES), "name": _STAGES[number]})

        stage(0)
        with self._database.read() as session:
            written = erasure.written_by(session, user)
            if written.is_empty:
                raise NobodyToErase(
                    f"Nothing of {user!r} is known. Give the id that Slack shows under "
                    "“Copy member ID” in the person's profile, such as U024BE7LH."
                )
            uses = uses_of(session, (*written.pairs, *written.asked_pairs))
            stands_for = f"erased-{secrets.token_hex(4)}"
            traces = Traces(
                written.texts,
                others=erasure.written_by_others(session, written, user),
                names=(*((user,) if _IS_ID.fullmatch(user) else ()), *written.direct_messages),
                stands_for=stands_for,
            )
        report = self._report(user, stands_for, actor, written, uses, is_dry=is_dry)
        if is_dry:
            return report
        stage(1)
        self._withdraw(written, uses, stands_for, actor)
        stage(2)
        self._reconcile_verified()
        stage(3)
        rows = erasure.sweep(self._database, traces)
        stage(4)
        snapshots = self._home.runs / "snapshots"
        used = {snapshots / f"{use.digest}.jsonl" for use in uses.snapshots}
        files = clean_files(self._home.runs, used, traces) + clean_logs(self._home.logs, traces)
        stage(5)
        left: dict[str, int] = {}
        try:
            self._database.scrub()
        except DatabaseUnusable as busy:
            left[str(busy)] = 1
        stage(6)
        left |= erasure.remaining(self._database, traces)
        left |= files_with(self._searched(), traces)
        finished = self._report(
            user, stands_for, actor, written, uses, is_dry=False, rows=rows, files=files, left=left
        )
        path = self._write(finished)
        log.info("person erased as=%s left=%d report=%s", stands_for, len(left), path.name)
        return finished

    def report_file(self, stands_for: str) -> Path:
        """Return where the report of an erasure lies."""
        return self._home.root / "erasures" / f"{stands_for}.json"

    def _withdraw(self, written: Written, uses: Uses, stands_for: str, actor: str) -> None:
        with self._database.write() as session:
            runs.cancel_if_using(session, [run.id for run in uses.runs], actor)
            for pair_id in (*written.pairs, *written.asked_pairs):
                pairs.erase(session, pair_id, actor)
                jobs.enqueue(
                    session, "unlearn_pair", {"pair_id": pair_id}, key=f"unlearn:{pair_id}"
                )
            erasure.erase_rows(session, written, stands_for)
            audit.record(
                session,
                actor,
                "person.erase",
                stands_for,
                {
                    "questions": len(written.questions),
                    "pairs": len(written.pairs),
                    "asked_pairs": len(written.asked_pairs),
                },
            )

    def _searched(self) -> list[Path]:
        """The folders and files in which nothing may be left; models are weights, not words."""
        database = [
            self._home.database.with_name(self._home.database.name + ending)
            for ending in ("", "-wal", "-journal")
        ]
        return [*database, self._home.index, self._home.runs, self._home.logs]

    def _report(
        self,
        user: str,
        stands_for: str,
        actor: str,
        written: Written,
        uses: Uses,
        *,
        is_dry: bool,
        rows: dict[str, int] | None = None,
        files: Sequence[Found] = (),
        left: dict[str, int] | None = None,
    ) -> ErasureReport:
        gone = {*written.pairs, *written.asked_pairs}
        with self._database.read() as session:
            usable = [pair for pair in pairs.for_snapshot(session) if pair.id not in gone]
        held_out = sum(pair.is_held_out for pair in usable)
        return ErasureReport(
            user=user,
            stands_for=stands_for,
            actor=actor,
            at=utc_now().isoformat(timespec="seconds"),
            is_dry=is_dry,
            questions=len(written.questions),
            pairs=len(written.pairs),
            asked_pairs=len(written.asked_pairs),
            rows=rows or {},
            files=tuple(files),
            uses=uses,
            plan=retrain_plan(uses, {"train": len(usable) - held_out, "held_out": held_out}),
            left=left or {},
            kept=_KEPT,
        )

    def _write(self, report: ErasureReport) -> Path:
        path = self.report_file(report.stands_for)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(
            json.dumps(asdict(report), ensure_ascii=False, indent=2, default=str) + "\n",
            encoding="utf-8",
        )
        path.chmod(0o600)
        return path


#: What an erasure does not touch.
_KEPT = (
    "The audit log keeps the id as the one who did something, without their words: it says who "
    "decided what.",
    "Pages of the company that hold their words (a Slack export that is a source, say) are taken "
    "out at their source; the next sync follows.",
    "Slack keeps its own messages; delete them there.",
    "Backups made before today hold what they held; let them run out, or delete them.",
)


def retrain_plan(uses: Uses, pairs_left: dict[str, int]) -> RetrainPlan:
    """Say what is to be done about the models that learned from pairs that are gone."""
    learned = {use.id for use in uses.snapshots if use.train}
    from_them = {run.id for run in uses.runs if run.snapshot_id in learned}
    versions = [version for version in uses.versions if version.run_id in from_them]
    if not versions:
        return RetrainPlan(False, pairs_left, ())
    names = ", ".join(version.name for version in versions)
    steps = [
        f"Train again without their pairs: `skredder train run` "
        f"({pairs_left['train']:,} pairs to train on and {pairs_left['held_out']:,} to measure "
        "with are left)."
    ]
    serving = next((version for version in versions if version.is_serving), None)
    if serving is not None:
        steps.insert(
            0,
            f"{serving.name} answers now and has learned from their pairs. If that cannot wait for "
            "the training, go back at once: `skredder train rollback`.",
        )
    steps.append(
        f"When none of them answers any more, delete the files of {names}: their weights "
        "may still know what the pairs said. They lie in: "
        + ", ".join(version.folder or "?" for version in versions)
    )
    return RetrainPlan(True, pairs_left, tuple(steps))
