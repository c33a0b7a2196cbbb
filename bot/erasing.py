"""Erasing a person: their words out of every table and file, their pairs out of use, and the proof.

What a model has learned cannot be taken out of its weights. So the report names each version that
learned from the person's pairs, and what to do to get a model without them.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bot.erasing_files import Found, clean_files, clean_logs, files_with
from bot.erasing_pending import Pending, PendingErasures, write_for_owner
from bot.home import Home
from storage import audit, erasure, jobs, pairs, person, runs
from storage.clock import utc_now
from storage.database import Database, DatabaseUnusable
from storage.erasure import Search
from storage.pair_uses import Uses, uses_of
from storage.person import Person
from storage.traces import Traces
from storage.written import Written, emptied_of_others, written_by, written_by_others

log = logging.getLogger(__name__)

Progress = Callable[[dict[str, Any]], None]

#: What Slack calls people. A name, as imported files have it, stands for others and in pages, too.
_IS_ID = re.compile(r"[UW][A-Z0-9]+")

#: What the audit calls it when somebody's words have gone out of their rows.
_DONE = "person.erase"

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
        unfinished_since: When the erasure was begun that had not come to its end and is gone on
            with (in a dry run: would be); None if there was none.
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
    unfinished_since: str | None

    @property
    def is_gone(self) -> bool:
        """Whether nothing of the person was found any more."""
        return not self.left


class Erasing:
    """Erases people from one installation. What was done half is finished by doing it again.

    From before anything is changed until nothing is left, what it must know is kept in the home's
    folder `erasures`, see `bot.erasing_pending`.
    """

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
        self.pending = PendingErasures(home.erasures)

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
            whom = person.find(session, user)
            begun = self.pending.of(whom.name)
            now = begun or _begin(whom.name, actor)
            now = replace(now, written=now.written | written_by(session, whom))
            if now.written.is_empty:
                raise NobodyToErase(
                    f"Nothing of {user!r} is known. Give the id that Slack shows under "
                    "“Copy member ID” in the person's profile, such as U024BE7LH; if they are of "
                    "another workspace than the first, with its id before it: T061EG9R6/U024BE7LH."
                )
            emptied = emptied_of_others(session, now.written)
            now = replace(now, others=tuple(dict.fromkeys((*now.others, *emptied))))
            uses = uses_of(session, (*now.written.pairs, *now.written.asked_pairs))
            search = _search(session, now, whom)
        since = None if begun is None else begun.begun_at
        if is_dry:
            return self._report(now, uses, is_dry=True, unfinished_since=since)
        self.pending.keep(now)
        stage(1)
        self._withdraw(now, uses)
        stage(2)
        self._reconcile_verified()
        stage(3)
        if now.rows is None:
            left_now = erasure.remaining(self._database, search)
            now = replace(now, rows=left_now)
            self.pending.keep(now)
        erasure.sweep(self._database, search)
        stage(4)
        found = self._clean_files(uses, search, is_dry=True)
        now = replace(now, files=tuple(dict.fromkeys((*(now.files or ()), *found))))
        self.pending.keep(now)
        self._clean_files(uses, search, is_dry=False)
        stage(5)
        left: dict[str, int] = {}
        try:
            self._database.scrub()
        except DatabaseUnusable as busy:
            left[str(busy)] = 1
        stage(6)
        left |= erasure.remaining(self._database, search)
        others = self._pending_of_others(now)
        left |= files_with([*self._searched(), *others], search.anywhere)
        finished = self._report(now, uses, is_dry=False, unfinished_since=since, left=left)
        path = self.report_file(now.stands_for)
        write_for_owner(path, asdict(finished))
        if left.keys() <= {str(path) for path in others}:  # or two would wait for each other
            self.pending.forget(now)
        log.info("person erased as=%s left=%d report=%s", now.stands_for, len(left), path.name)
        return finished

    def report_file(self, stands_for: str) -> Path:
        """Return where the report of an erasure lies."""
        return self._home.erasures / f"{stands_for}.json"

    def _withdraw(self, now: Pending, uses: Uses) -> None:
        written = now.written
        with self._database.write() as session:
            runs.cancel_if_using(session, [run.id for run in uses.runs], now.actor)
            for pair_id in (*written.pairs, *written.asked_pairs):
                pairs.erase(session, pair_id, now.actor)
                jobs.enqueue(
                    session, "unlearn_pair", {"pair_id": pair_id}, key=f"unlearn:{pair_id}"
                )
            erasure.erase_rows(session, written, now.stands_for)
            if audit.is_recorded(session, _DONE, now.stands_for):
                return  # it went on from here
            audit.record(
                session,
                now.actor,
                _DONE,
                now.stands_for,
                {
                    "questions": len(written.questions),
                    "pairs": len(written.pairs),
                    "asked_pairs": len(written.asked_pairs),
                },
            )

    def _clean_files(self, uses: Uses, search: Search, *, is_dry: bool) -> tuple[Found, ...]:
        """Clean all files. Logs do not say of which workspace an id is, so any loses it."""
        snapshots = self._home.runs / "snapshots"
        used = {snapshots / f"{use.digest}.jsonl" for use in uses.snapshots}
        found = clean_files(self._home.runs, used, search.anywhere, is_dry=is_dry)
        return found + clean_logs(self._home.logs, search.own, is_dry=is_dry)

    def _searched(self) -> list[Path]:
        """The folders and files in which nothing may be left; models are weights, not words."""
        database = [
            self._home.database.with_name(self._home.database.name + ending)
            for ending in ("", "-wal", "-journal")
        ]
        return [*database, self._home.index, self._home.runs, self._home.logs]

    def _pending_of_others(self, now: Pending) -> list[Path]:
        """The erasures of others that have not come to their end: these words may stand there, too.

        This one's own is deleted when nothing else is left, or nobody could go on from here.
        """
        own = self.pending.file(now.stands_for)
        return [path for path in self.pending.files() if path != own]

    def _report(
        self,
        now: Pending,
        uses: Uses,
        *,
        is_dry: bool,
        unfinished_since: str | None,
        left: dict[str, int] | None = None,
    ) -> ErasureReport:
        written = now.written
        gone = {*written.pairs, *written.asked_pairs}
        with self._database.read() as session:
            usable = [pair for pair in pairs.for_snapshot(session) if pair.id not in gone]
        held_out = sum(pair.is_held_out for pair in usable)
        return ErasureReport(
            user=now.user,
            stands_for=now.stands_for,
            actor=now.actor,
            at=_now(),
            is_dry=is_dry,
            questions=len(written.questions),
            pairs=len(written.pairs),
            asked_pairs=len(written.asked_pairs),
            rows=now.rows or {},
            files=now.files or (),
            uses=uses,
            plan=retrain_plan(uses, {"train": len(usable) - held_out, "held_out": held_out}),
            left=left or {},
            kept=_KEPT,
            unfinished_since=unfinished_since,
        )


def _begin(user: str, actor: str) -> Pending:
    nothing = Written((), (), (), (), (), ())
    return Pending(user, f"erased-{secrets.token_hex(4)}", actor, _now(), nothing, ())


def _search(session: Session, now: Pending, whom: Person) -> Search:
    ids = ((whom.id,) if _IS_ID.fullmatch(whom.id) else ()) + now.written.direct_messages
    names = [whom.named(each) for each in ids]
    traces = Traces(
        now.written.texts,
        others=chain(now.others, written_by_others(session, now.written, whom)),
        names=names,
        stands_for=now.stands_for,
        behind=() if whom.team else [f"{team}/" for team in whom.far],
    )
    return Search(
        person=whom,
        anywhere=traces,
        own=traces.named((*names, *ids)),
        foreign=traces.named(names if whom.team else ()),
    )


def _now() -> str:
    return utc_now().isoformat(timespec="seconds")


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
    if kept := [version.name for version in versions if version.gate != "retired"]:
        steps.append(
            f"When none of {', '.join(kept)} answers any more, or is what a rollback goes back to, "
            "delete their weights, which may still know what the pairs said: "
            + "; ".join(f"`skredder train retire {name} --reason ...`" for name in kept)
        )
    return RetrainPlan(True, pairs_left, tuple(steps))
