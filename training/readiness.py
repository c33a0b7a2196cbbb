"""Is it time to train? A pure function of counts, that says what is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Readiness:
    """Whether a training is due, in a sentence, and how many pairs are missing until it is."""

    is_due: bool
    missing: int
    message: str


def due(
    approved: int, new: int, *, has_trained: bool, enough_pairs: int, retrain_every: int
) -> Readiness:
    """Say whether enough pairs have gathered.

    Args:
        approved: How many pairs are approved for everyone.
        new: How many of them the last training did not have.
        has_trained: Whether there was a training that was measured.
        enough_pairs: How many pairs the first training needs.
        retrain_every: How many new pairs each later training needs.
    """
    if not has_trained:
        missing = max(enough_pairs - approved, 0)
        gathered = f"{approved:,} of {enough_pairs:,} pairs for the first training"
    else:
        missing = max(retrain_every - new, 0)
        gathered = f"{new:,} of {retrain_every:,} new pairs since the last training"
    if missing:
        return Readiness(False, missing, f"{gathered}; {missing:,} more are needed.")
    return Readiness(True, 0, f"{gathered}: a training is due.")
