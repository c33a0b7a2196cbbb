"""The stored questions that a new one repeats in other words."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict

from sqlalchemy.orm import Session

from knowledge.near_questions import QuestionLikeness, frame_of
from storage import pairs

#: How many stored questions are compared with a new one: those that share most with it.
COMPARED = 25

#: A word that more questions have than this says little about which of them is meant.
_COMMON = 2_000


class NearQuestions:
    """Finds near-duplicates of a question among all pairs. Safe in several threads.

    What was asked is kept in memory by its words, and brought up to date from SQL at each use.
    """

    def __init__(self, likeness: QuestionLikeness) -> None:
        """Take what compares two questions."""
        self._likeness = likeness
        self._lock = threading.RLock()
        self._questions: dict[int, str] = {}
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        self._last = 0

    def prepare(self, questions: list[str]) -> None:
        """Read questions with the model before a transaction, so that none waits for it."""
        with self._lock:
            self._likeness.prepare(questions)

    def to(self, session: Session, question: str) -> tuple[int, ...]:
        """Return the pairs whose questions are the same in other words.

        Args:
            session: The transaction that sees what must be seen.
            question: The new question.
        """
        with self._lock:
            self._follow(session)
            same: dict[str, bool] = {}
            found = []
            for pair_id in self._candidates(question):
                text = self._questions[pair_id]
                if text not in same:
                    same[text] = self._likeness.are_the_same(question, text)
                if same[text]:
                    found.append(pair_id)
        return tuple(sorted(found))

    def _follow(self, session: Session) -> None:
        if self._last and not pairs.is_there(
            session, self._last
        ):  # that transaction came to nothing
            self._questions.clear()
            self._having.clear()
            self._last = 0
        for pair_id, question in pairs.questions_after(session, self._last):
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
