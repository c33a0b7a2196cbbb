"""Writing pairs to a file, whole or as a snapshot has them, with a data card beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.pair_import import draft_of
from storage import pairs, snapshots
from storage.clock import utc_now
from storage.database import Database
from storage.pair_uses import snapshots_beginning_with
from storage.pairs import Pair
from training.data_card import DataFacts, data_card
from training.pair_files import PairFileInvalid, form_of, write_pairs
from training.prompt import Persona

#: Forms that tools train on as they are: what may not train is not in them.
_FOR_TRAINING = frozenset(("chat", "alpaca"))


@dataclass(frozen=True)
class ExportReport:
    """What was written where."""

    count: int
    file: str
    card: str
    sha256: str
    left_out: tuple[tuple[str, int], ...] = ()


class PairExport:
    """Exports pairs; a file appears under its name only when it is whole."""

    def __init__(self, database: Database, persona: Persona) -> None:
        """Take the database, and who speaks, for the card."""
        self._database = database
        self._persona = persona

    def run(
        self,
        path: Path,
        *,
        form: str | None = None,
        state: str = "approved",
        snapshot: str | None = None,
    ) -> ExportReport:
        """Write pairs to a file, and its card to `<name>.card.md` beside it.

        Args:
            path: The file, ending in .jsonl or .csv.
            form: One of `training.pair_files.FORMS`; by the ending if not given.
            state: Which pairs, unless a snapshot is named.
            snapshot: The beginning of a snapshot's digest: its pairs, as they were split for it.

        Raises:
            PairFileInvalid: the form and the ending do not fit, or there is no such snapshot.
        """
        form = form_of(path, form)
        if snapshot is None:
            chosen, digest, what = self._in_state(state), None, f"All {state} pairs"
        else:
            chosen, digest = self._in_snapshot(snapshot)
            what = f"The pairs of snapshot {digest[:12]}"
        left_out: list[tuple[str, int]] = []
        if form in _FOR_TRAINING:
            may = [pair for pair in chosen if pair.is_usable and pair.audience == "everyone"]
            left_out.append(("that may not train a model everyone asks", len(chosen) - len(may)))
            chosen = may
        temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            count = write_pairs(
                (replace(draft_of(pair), split=pair.split) for pair in chosen), file, form
            )
        sha256 = hashlib.sha256(temporary.read_bytes()).hexdigest()
        temporary.replace(path)
        card = path.with_name(f"{path.name}.card.md")
        facts = DataFacts(
            file=path.name,
            sha256=sha256,
            form=form,
            what=what,
            made_at=utc_now().date().isoformat(),
            company=self._persona.company,
            goal=self._persona.goal,
            voice=self._persona.voice.description,
            snapshot=digest,
            left_out=tuple(left_out),
        )
        card.write_text(data_card(facts, chosen), encoding="utf-8")
        return ExportReport(count, str(path), str(card), sha256, tuple(left_out))

    def _in_state(self, state: str) -> Sequence[Pair]:
        with self._database.read() as session:
            return tuple(reversed(pairs.listed(session, state, limit=10_000_000)))

    def _in_snapshot(self, beginning: str) -> tuple[Sequence[Pair], str]:
        with self._database.read() as session:
            found = snapshots_beginning_with(session, beginning)
            if len(found) != 1:
                raise PairFileInvalid(
                    f"{len(found) or 'No'} snapshots begin with {beginning!r}. A snapshot is named "
                    "by its digest; `skredder train list --json` shows them."
                )
            ((snapshot_id, digest),) = found
            sides = {
                pair_id: split
                for split in ("train", "held_out")
                for pair_id in snapshots.pair_ids(session, snapshot_id, split)
            }
            stored = pairs.by_ids(session, sides)
        return tuple(replace(pair, split=sides[pair.id]) for pair in stored), digest
