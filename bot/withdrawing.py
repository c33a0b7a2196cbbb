"""Withdrawing everything that one author wrote, in one step, because they are trusted no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.erasing import RetrainPlan, retrain_plan
from storage import audit, jobs, pairs, runs
from storage.database import Database
from storage.pair_uses import Uses, pairs_of_author, uses_of


class NothingToWithdraw(Exception):
    """The author has no pair that could be withdrawn, or no reason was given."""


@dataclass(frozen=True)
class WithdrawalReport:
    """What was withdrawn, and what had been made with it.

    Attributes:
        author: Whose pairs they were.
        revoked: How many of them were approved.
        rejected: How many were waiting.
        uses: The snapshots, runs and versions that had them, those withdrawn before, too.
        plan: What to do about the models.
    """

    author: str
    revoked: int
    rejected: int
    uses: Uses
    plan: RetrainPlan


class Withdrawing:
    """Takes an author's pairs out of answering and training, all or none."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        """Take the database, and what lets the index of verified answers follow."""
        self._database = database
        self._wake = wake

    def run(
        self, author: str, actor: str, reason: str, *, is_dry: bool = False
    ) -> WithdrawalReport:
        """Revoke what is approved and reject what waits, in one transaction.

        Args:
            author: The author's id, or name as an imported file has it.
            actor: Who withdraws.
            reason: Why, in words; it is kept with each pair.
            is_dry: Whether only to tell what would be withdrawn.

        Raises:
            NothingToWithdraw: there is nothing of this author, or no reason.
        """
        if not reason.strip() and not is_dry:
            raise NothingToWithdraw(
                "Say why the pairs are withdrawn; the reason is kept with them."
            )
        with self._database.write() as session:
            by_state = pairs_of_author(session, author)
            everything = [pair_id for ids in by_state.values() for pair_id in ids]
            approved, waiting = by_state.get("approved", ()), by_state.get("proposed", ())
            if not everything:
                raise NothingToWithdraw(
                    f"There is no pair by {author!r}. `skredder pairs list` shows the authors."
                )
            uses = uses_of(session, everything)
            if not is_dry:
                for pair_id in approved:
                    pairs.revoke(session, pair_id, actor, reason)
                    jobs.enqueue(
                        session, "unlearn_pair", {"pair_id": pair_id}, key=f"unlearn:{pair_id}"
                    )
                for pair_id in waiting:
                    pairs.reject(session, pair_id, actor, reason)
                runs.cancel_if_using(session, [run.id for run in uses.runs], actor)
                audit.record(
                    session,
                    actor,
                    "pairs.withdraw",
                    f"author {author}",
                    {"revoked": len(approved), "rejected": len(waiting)},
                )
            gone = {*approved, *waiting}
            left = [pair for pair in pairs.for_snapshot(session) if pair.id not in gone]
        if not is_dry:
            self._wake()
        held_out = sum(pair.is_held_out for pair in left)
        plan = retrain_plan(uses, {"train": len(left) - held_out, "held_out": held_out})
        return WithdrawalReport(author, len(approved), len(waiting), uses, plan)
