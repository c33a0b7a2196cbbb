"""What a version changed: each correction it learned from, as answered before and after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.evaluation.agreement import agrees
from training.rows import Row


@dataclass(frozen=True)
class Change:
    """One correction, by its pair: what the champion said, what the new version says.

    Attributes:
        pair_id: The correction's pair; question, expert and answer stand there and nowhere else,
            so that a person who is erased leaves nothing here.
        before: The champion's answer.
        after: The new version's.
        agreed_before: Whether the champion's agrees with the expert's.
        agrees_now: Whether the new version's does.
    """

    pair_id: int
    before: str
    after: str
    agreed_before: bool
    agrees_now: bool


@dataclass(frozen=True)
class ChangeSum:
    """One expert's corrections, and how many of them each version answers as the expert does."""

    corrections: int
    before: int
    now: int


def changes_of(
    rows: Sequence[Row],
    before: Sequence[str],
    after: Sequence[str],
    sayings: Collection[str] = (),
) -> tuple[Change, ...]:
    """Compare what two versions say with what the experts wrote.

    Args:
        rows: The corrections' rows; each has its pair.
        before: What the champion says to each.
        after: What the new version says to each.
        sayings: Recurring sentences of the experts' answers, which do not count.
    """
    return tuple(
        Change(
            row.pair_id,
            old,
            new,
            agrees(old, row.answer, sayings),
            agrees(new, row.answer, sayings),
        )
        for row, old, new in zip(rows, before, after, strict=True)
        if row.pair_id is not None
    )


def sums_by_author(changes: Sequence[Change], author_of: Mapping[int, str]) -> dict[str, ChangeSum]:
    """Add the changes up by who wrote the corrections; those of nobody known are left out."""
    found: dict[str, ChangeSum] = {}
    for change in changes:
        author = author_of.get(change.pair_id)
        if author is None:
            continue
        so_far = found.get(author, ChangeSum(0, 0, 0))
        found[author] = ChangeSum(
            so_far.corrections + 1,
            so_far.before + change.agreed_before,
            so_far.now + change.agrees_now,
        )
    return found


def to_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return changes as JSON values, to be kept with a version's report."""
    return [asdict(change) for change in changes]


def from_json(found: Sequence[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Read changes back."""
    return tuple(Change(**fields) for fields in found)
