"""The stored questions that a new one repeats in other words."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from knowledge.near_questions import QuestionLikeness, frame_of
from storage import pairs, question_bands

#: How many stored questions are compared with a new one: those that share most with it.
COMPARED = 25

#: A word that more questions have than this says little about which of them is meant.
_COMMON = 2_000


class NearQuestions:
    """Finds near-duplicates of a question among all pairs. Safe in several threads.

    What was asked is kept in memory by its words, and brought up to date from SQL at each use.
    Where somebody's words were erased, all of it is read anew.
    """

    def __init__(self, likeness: QuestionLikeness) -> None:
        """Take what compares two questions."""
        self._likeness = likeness
        self._lock = threading.RLock()
        self._erased = 0
        self._clear()

    def follow(self, session: Session) -> None:
        """Take in what was stored since the last time, and let go of what was erased.

        Args:
            session: The transaction that sees what must be seen.
        """
        erased = pairs.count_erased(session)
        with self._lock:
            if erased != self._erased:
                self.forget()
                self._erased = erased
            self._follow(session)

    def read_ahead(self, questions: Sequence[str]) -> None:
        """Read questions with the model, beside other work, so that `prepare` finds them read."""
        self._likeness.prepare(questions)

    def prepare(self, questions: Sequence[str]) -> None:
        """Compare questions before a transaction, with each other too, so that none waits for it.

        The transaction then compares only what was stored since `follow`.
        """
        compared: list[tuple[str, str]] = []
        with self._lock:
            for place, question in enumerate(questions):
                keys = frame_of(question).keys
                others = [self._questions[pair_id] for pair_id in self._candidates(question)]
                others += [q for q in questions[:place] if not keys.isdisjoint(frame_of(q).keys)]
                compared += [(question, other) for other in dict.fromkeys(others)]
        self._likeness.compare(compared)

    def to(self, session: Session, question: str) -> tuple[int, ...]:
        """Return the pairs whose questions are the same in other words.

        Args:
            session: The transaction that sees what must be seen.
            question: The new question.
        """
        with self._lock:
            self._follow(session)
            candidates = {number: self._questions[number] for number in self._candidates(question)}
        same = {
            text: self._likeness.are_the_same(question, text) for text in set(candidates.values())
        }
        return tuple(sorted(number for number, text in candidates.items() if same[text]))

    def forget(self) -> None:
        """Forget every text, because somebody's words had to go; the next use reads anew."""
        with self._lock:
            self._clear()
            self._likeness.forget()
            question_bands.bands.cache_clear()

    def _clear(self) -> None:
        self._questions: dict[int, str] = {}
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        self._last = 0

    def _follow(self, session: Session) -> None:
        fresh = pairs.questions_from(session, self._last)
        if self._last and (not fresh or fresh[0][0] != self._last):
            # That transaction came to nothing, or the words of that pair were erased.
            self._clear()
            fresh = pairs.questions_from(session, 0)
        for pair_id, question in fresh:
            if pair_id == self._last:
                continue
            self._last = pair_id
            self._questions[pair_id] = question
            for key in frame_of(question).keys or frame_of(question).words:
                self._having[key].append(pair_id)

    def _candidates(self, question: str) -> list[int]:
        shared: Counter[int] = Counter()
        frame = frame_of(question)
        for key in frame.keys or frame.words:
            having = self._having.get(key, ())
            if len(having) <= _COMMON:
                shared.update(having)
        return [pair_id for pair_id, _ in shared.most_common(COMPARED)]
