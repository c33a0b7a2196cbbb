"""Masking what is personal in a pair, and looking again at pairs that came before the checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.corrections import Corrections
from bot.pair_audience import holds_that_stay
from bot.pair_checks import PairChecks
from storage import jobs, pair_conflicts, pair_holds, pair_watch, pairs
from storage.database import Database
from storage.pairs import NewPair, Pair, PairChangeRefused
from training.personal_data import masked

Progress = Callable[[dict[str, Any]], None]

#: Who places holds when pairs are looked at again.
CHECKS = "checks"

#: Pairs looked at between two signs of life.
BATCH = 50


@dataclass(frozen=True)
class CheckReport:
    """How many pairs were looked at again, and which are held now that were not."""

    looked_at: int
    held: tuple[tuple[int, tuple[str, ...]], ...]


class PairMasking:
    """Makes masked pairs of pairs, and holds old ones that would be held if they were new."""

    def __init__(
        self,
        database: Database,
        checks: PairChecks,
        corrections: Corrections,
        wake: Callable[[], None],
    ) -> None:
        """Take the collaborators; `wake` lets new jobs be done."""
        self._database = database
        self._checks = checks
        self._corrections = corrections
        self._wake = wake

    def mask(self, pair_id: int, actor: str) -> Pair:
        """Put a pair in another's place in which everything personal or secret is masked.

        The masked one is as far as the other was: approved if that was approved.

        Raises:
            PairChangeRefused: there is no such pair, it is out of use, or nothing is found in it.
        """
        with self._database.read() as session:
            old = pairs.get(session, pair_id)
        if old.state not in ("proposed", "approved"):
            raise PairChangeRefused(f"Pair {pair_id} is {old.state}; there is nothing to mask for.")
        new = _masked(old)
        if (new.input, new.output, new.context) == (old.input, old.output, old.context):
            raise PairChangeRefused(f"Nothing personal or secret is found in pair {pair_id}.")
        (found,) = self._corrections.look_at([new])
        with self._database.write() as session:
            stored = self._corrections.propose_in(session, new, found)
            reason = f"Masked as pair {stored.id}."
            if old.state == "approved":
                stored = pairs.approve(session, stored.id, actor)
                if pairs.get(session, pair_id).state == "approved":
                    pairs.revoke(session, pair_id, actor, reason)
                for kind, number in (("unlearn_pair", pair_id), ("learn_pair", stored.id)):
                    key = f"{kind}:{number}:masked"
                    jobs.enqueue(session, kind, {"pair_id": number}, key=key)
            else:
                pairs.reject(session, pair_id, actor, reason)
            # It may seem to contradict the one it stands for, by what was masked.
            pair_conflicts.settle_without(session, pair_id)
            stored = pairs.get(session, stored.id)
        self._wake()
        return stored

    def check_again(self, on_progress: Progress = lambda _: None) -> CheckReport:
        """Hold every pair in use that has something an expert has not looked at.

        What an expert has released once is not held again for the same reason.
        """
        with self._database.read() as session:
            numbers = pair_watch.ids_in_use(session)
        held: list[tuple[int, tuple[str, ...]]] = []
        for start in range(0, len(numbers), BATCH):
            with self._database.read() as session:
                some = pairs.by_ids(session, numbers[start : start + BATCH])
                known = {pair.id: pair_watch.reasons_ever(session, pair.id) for pair in some}
            found = {
                pair.id: tuple(
                    reason
                    for reason in self._checks.holds(_as_new(pair))
                    if reason not in known[pair.id]
                )
                for pair in some
            }
            with self._database.write() as session:
                for pair_id, reasons in found.items():
                    if reasons:
                        pair_holds.place(session, pair_id, reasons, CHECKS)
                        held.append((pair_id, reasons))
            on_progress({"done": start + len(some), "total": len(numbers), "name": "Pairs"})
        return CheckReport(len(numbers), tuple(held))


def _as_new(pair: Pair) -> NewPair:
    """Return a stored pair as it would be proposed; how sudden it was is long past."""
    return NewPair(
        input=pair.input,
        output=pair.output,
        author=pair.author,
        origin="check",
        origin_key=f"check:{pair.id}",
        language=pair.language,
        audience=pair.audience,
        context=pair.context,
        sources=pair.sources,
    )


def _masked(pair: Pair) -> NewPair:
    return NewPair(
        input=masked(pair.input, pair.language),
        output=masked(pair.output, pair.language),
        author=pair.author,
        origin=pair.origin,
        origin_key=f"masked:{pair.id}",
        language=pair.language,
        audience=pair.audience,
        context=None if pair.context is None else masked(pair.context, pair.language),
        reason=pair.reason,
        answer_id=pair.answer_id,
        asked_by=pair.asked_by,
        derived_from=pair.id,
        sources=pair.sources,
        created_at=pair.created_at,
        place=pair.place,
        holds=holds_that_stay(pair.holds),
    )
