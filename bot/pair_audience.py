"""For whom a pair is: as few as may see any of what it was made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.audiences import EVERYONE

#: An audience that no place opens: who may see one half of a pair may not see the other.
NOBODY = "nobody"

#: Why a pair waits that was asked where only one person reads.
ASKED_IN_PRIVATE = (
    "A colleague asked this in a direct message. Look whether everybody may read the question."
)

_NOT_AS_A_WHOLE = "It rests on what is for {named} only; nobody may see it as a whole."


@dataclass(frozen=True)
class PairAudience:
    """For whom a pair is, and why it must be looked at, if it must."""

    audience: str
    holds: tuple[str, ...] = ()


def audience_of(
    passages: Iterable[str], place: str | None = None, everyone: str = EVERYONE
) -> PairAudience:
    """Return the narrowest audience of what a pair was made of.

    A passage that was not for everyone makes the pair as narrow as itself, cited or not: what the
    expert wrote may rest on it. So does a place that not everybody can read in. Where two are
    narrow in different ways, nobody may see the pair until an expert clears it.

    Args:
        passages: The audiences of the passages that were shown.
        place: The channel it was said in, if not everybody can read there.
        everyone: Who everybody is in the workspace it was said in.
    """
    narrow = {audience for audience in passages if audience != everyone}
    if place and place != everyone:
        narrow.add(place)
    if not narrow:
        return PairAudience(everyone)
    if len(narrow) == 1 and EVERYONE not in narrow:  # another workspace's everyone is not ours
        return PairAudience(narrow.pop())
    named = " and ".join(sorted(narrow))
    return PairAudience(NOBODY, (_NOT_AS_A_WHOLE.format(named=named),))


def holds_that_stay(holds: Iterable[str]) -> tuple[str, ...]:
    """Return those of a pair's holds that other words for the answer do not settle."""
    ending = _NOT_AS_A_WHOLE.rpartition("}")[2]
    return tuple(hold for hold in holds if hold == ASKED_IN_PRIVATE or hold.endswith(ending))
