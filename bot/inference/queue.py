"""The waiting line in front of an engine: fair, bounded in time, and countable.

It holds no model and no thread. Fairness is self-clocked fair queueing (Golestani, "A self-clocked
fair queueing scheme for broadband applications", INFOCOM 1994): an entry's tag is the tag of the
same asker's entry before it (or the line's clock at its arrival, whichever is later) plus its
cost. The smallest tag is next, and the clock is the tag of what was taken last. So askers take
turns however many questions one of them has, and a long entry is passed by short ones, but only
until the clock reaches its tag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class _Entry(Generic[Item]):
    item: Item
    asker: object
    cost: float
    arrived_at: float
    until: float


class FairQueue(Generic[Item]):
    """Entries that wait for their turn. Not safe for threads by itself: its owner holds a lock."""

    def __init__(self, seconds_to_live: float) -> None:
        """Take for how many seconds an entry may wait."""
        self.seconds_to_live = seconds_to_live
        self._entries: list[_Entry[Item]] = []
        self._clock = 0.0
        #: The tag of what was taken last of each asker who still waits.
        self._taken: dict[object, float] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, item: Item, *, cost: float, now: float, asker: str | None = None) -> None:
        """Let `item` wait.

        Args:
            item: What waits; it is known again by being the same object.
            cost: How much work it is, in any unit that is the same for all; more than 0.
            now: The time, in seconds of any clock that does not go back.
            asker: Who takes turns with whom; an entry without one stands for itself.
        """
        whose: object = object() if asker is None else asker
        until = now + self.seconds_to_live
        self._entries.append(_Entry(item, whose, cost, self._clock, until))

    def take(self) -> Item | None:
        """Take out and return whose turn it is; None if nobody waits."""
        if not self._entries:
            return None
        entry, self._clock = self._in_order()[0]
        self._entries.remove(entry)
        self._taken[entry.asker] = self._clock
        # Tags are taken in rising order, so an asker's next arrival begins at the clock or later:
        # what they had before counts only for those of theirs that arrived before it was taken.
        waiting = {entry.asker for entry in self._entries}
        self._taken = {who: tag for who, tag in self._taken.items() if who in waiting}
        return entry.item

    def remove(self, item: Item) -> bool:
        """Take `item` out, wherever it stands; False if it does not wait here."""
        before = len(self._entries)
        self._entries = [entry for entry in self._entries if entry.item is not item]
        return len(self._entries) < before

    def take_expired(self, now: float) -> list[Item]:
        """Take out and return everything that has waited for too long, in order of arrival."""
        expired = [entry.item for entry in self._entries if entry.until <= now]
        self._entries = [entry for entry in self._entries if entry.until > now]
        return expired

    def next_expiry(self) -> float | None:
        """Return when the next entry will have waited for too long; None if nobody waits."""
        return min((entry.until for entry in self._entries), default=None)

    def place(self, item: Item) -> int:
        """Return the place of `item`: 1 is next, 0 means that it does not wait here."""
        places = enumerate(self._in_order(), start=1)
        return next((place for place, (entry, _) in places if entry.item is item), 0)

    def _in_order(self) -> list[tuple[_Entry[Item], float]]:
        """Return the entries as they will be taken if none comes or goes, with their tags."""
        last = dict(self._taken)
        tagged = []
        for entry in self._entries:  # in order of arrival, so each asker's own come in turn
            tag = max(last.get(entry.asker, 0.0), entry.arrived_at) + entry.cost
            last[entry.asker] = tag
            tagged.append((entry, tag))
        return sorted(tagged, key=lambda pair: pair[1])  # stable: of equals, the earlier one
