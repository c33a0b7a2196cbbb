"""What importing a file of pairs would do, told without doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.corrections import Corrections
from bot.pair_checks import personal_data_reasons
from storage import pairs
from storage.database import Database
from storage.pairs import NewPair

#: Pairs looked at between two signs of life.
BATCH = 25

#: How many of those that would be held are shown.
SHOWN = 10


@dataclass(frozen=True)
class HeldRow:
    """A row of a file that would be held, and why."""

    question: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """What would become of a file's rows.

    Attributes:
        added: How many pairs would be stored.
        known: How many are stored already, or stand in the file twice.
        held: How many of those added would not train before an expert looks.
        personal: How many of those because of something personal or secret.
        shown: The first few of those held.
    """

    added: int
    known: int
    held: int
    personal: int
    shown: tuple[HeldRow, ...]


def preview(
    database: Database,
    corrections: Corrections,
    proposed: Sequence[NewPair],
    *,
    looked_at: str | None,
    not_personal: str | None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Preview:
    """Look at pairs as if they were proposed; nothing is written.

    They are laid beside the approved pairs that are stored, not beside each other.

    Args:
        database: The truth, which is only read.
        corrections: Finds what speaks against a pair.
        proposed: The pairs of the file.
        looked_at: Who has looked at them already, and how.
        not_personal: Why what is taken for personal in them is not.
        on_progress: Called with how many were looked at so far.
    """
    with database.read() as session:
        known = set(pairs.known_keys(session, [each.origin_key for each in proposed]))
    new: list[NewPair] = []
    for each in proposed:
        if each.origin_key not in known:
            known.add(each.origin_key)
            new.append(each)
    held: list[HeldRow] = []
    personal = 0
    for start in range(0, len(new), BATCH):
        batch = new[start : start + BATCH]
        findings = corrections.look_at(batch)
        with database.read() as session:
            for each, found in zip(batch, findings, strict=True):
                secret = personal_data_reasons(each.input, each.output, each.context)
                rest = {*each.holds, *found.holds, *found.faults} - {*secret}
                reasons = (
                    *(() if not_personal else secret),
                    *(() if looked_at else sorted(rest)),
                    *corrections.contradicted_by(session, each),
                )
                if reasons:
                    held.append(HeldRow(each.input, reasons))
                personal += bool(secret and not not_personal)
        on_progress(start + len(batch))
    return Preview(len(new), len(proposed) - len(new), len(held), personal, tuple(held[:SHOWN]))
