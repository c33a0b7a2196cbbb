"""Corrections: from an expert's better answer to a pair that counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from bot.audiences import Audiences
from bot.follow_up import in_thread
from bot.near_questions import NearQuestions
from bot.pair_audience import ASKED_IN_PRIVATE, audience_of, holds_that_stay
from bot.pair_checks import Findings
from bot.pair_conflicts import contradictions, open_conflicts
from bot.permissions import Permissions
from bot.prequential import try_first
from bot.question_text import QuestionUnusable, clean_question, clean_questions
from bot.teams import ONE_WORKSPACE, Teams, id_in, team_in
from bot.told import Told
from knowledge.language import detect_language
from storage import answers, jobs, pairs, question_bands, questions
from storage.database import Database
from storage.failpoints import failpoint
from storage.one_writer import one_at_a_time
from storage.pair_vouching import vouch
from storage.pairs import NewPair, Pair, PairSource
from training.prompt import without_citations

#: What three inputs of a Slack form take.
LONGEST_CORRECTION = 9_000

#: Why a pair trains although its quality was found wanting.
_OWN_WORDS = "An expert wrote or chose these words, and they count at once."


class CorrectionRefused(Told):
    """The correction cannot be taken as it is; the message says what to change."""


class Corrections:
    """Turns corrections into pairs, and approved pairs into verified answers."""

    def __init__(
        self,
        database: Database,
        permissions: Permissions,
        held_out_share: float,
        examine: Callable[[NewPair], Findings] = lambda _: Findings(),
        *,
        near: NearQuestions | None = None,
        two_experts: Collection[str] = (),
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            permissions: Who may do what.
            held_out_share: The share of pairs kept for measuring.
            examine: Finds what speaks against a pair.
            near: Finds the questions that a new one repeats; without it, by their words alone.
            two_experts: The channels whose pairs two experts must approve.
        """
        self._database = database
        self._permissions = permissions
        self._held_out_share = held_out_share
        self._examine = examine
        self._near = near
        self._two_experts = frozenset(two_experts)
        self.tell_apart(ONE_WORKSPACE)

    def tell_apart(self, teams: Teams) -> None:
        """Take which workspace is the home one; until then whatever comes is of that one."""
        self._teams = teams
        self._audiences = Audiences({}, teams.home)

    def warm(self) -> None:
        """Take what was asked so far into memory: Slack waits three seconds for a form to close."""
        if self._near is not None:
            self._near.prepare(["Is it warm?"])
            with self._database.read() as session:
                self._near.to(session, "Is it warm?")

    def read_ahead(self, questions: Sequence[str]) -> None:
        """Read questions that `look_at` will be asked about soon; from a thread of its own."""
        if self._near is not None:
            self._near.read_ahead(questions)

    def look_at(self, proposed: Sequence[NewPair]) -> tuple[Findings, ...]:
        """Find what speaks against pairs, one finding for each.

        Models have a part in it, so it comes before the transaction that proposes them.
        """
        with self._database.read() as session:
            known = pairs.known_keys(session, [pair.origin_key for pair in proposed])
            if self._near is not None:
                self._near.follow(session)
        new = [pair for pair in proposed if pair.origin_key not in known]
        if self._near is not None and new:
            self._near.prepare([pair.input for pair in new])
        return tuple(
            Findings() if pair.origin_key in known else self._examine(pair) for pair in proposed
        )

    def propose_in(
        self, session: Session, pair: NewPair, found: Findings, vouched_by: str | None = None
    ) -> Pair:
        """Propose a pair within a transaction, held for what speaks against it.

        Args:
            session: The transaction.
            pair: What is proposed.
            found: What speaks against it, from `look_at`.
            vouched_by: Who stands for its quality because their own words count at once. What is
                found stays on record; personal data and signs of an attack hold it all the same.
        """
        if pairs.is_known(session, pair.origin_key):
            return pairs.propose(session, pair, self._held_out_share)
        holds = (*pair.holds, *found.holds, *found.faults)
        one_at_a_time(session)  # or a replica's near-duplicate might go to the other side
        near = None if self._near is None else self._near.to(session, pair.input)
        stored = pairs.propose(session, replace(pair, holds=holds), self._held_out_share, near)
        stored = open_conflicts(session, stored)
        if vouched_by is None or not found.faults:
            return stored
        return vouch(session, stored.id, found.faults, vouched_by, _OWN_WORDS)

    def contradicted_by(self, session: Session, pair: NewPair) -> tuple[str, ...]:
        """Return what a pair that is not stored would be held for beside the approved ones."""
        if self._near is None:
            near: Collection[int] = question_bands.near_by_words(session, pair.input)
        else:
            near = self._near.to(session, pair.input)
        return contradictions(session, pair, near)

    def counts_at_once(self, user_id: str) -> bool:
        """Whether this person's corrections need nobody else's approval."""
        return self._permissions.may(user_id, "approve a correction")

    def correct(
        self,
        *,
        answer_id: int,
        text: str,
        reason: str,
        user_id: str,
        key: str,
        asked_in: str | None = None,
    ) -> Pair:
        """Commit a correction of an answer, with the work that follows from it.

        Args:
            answer_id: The answer that was wrong.
            text: The better answer.
            reason: What was wrong with it.
            user_id: Who corrects, as Slack vouches for it and `bot.teams` calls them.
            key: The same in every delivery of this correction.
            asked_in: The audience of the place the question was asked in, if not everybody can
                read there.

        Raises:
            CorrectionRefused: the text is empty, too long, or what was answered already.
            NotAllowed: this person may not correct.
        """
        self._permissions.require(user_id, "propose a correction")
        output = without_citations(text.replace("\x00", "")).strip()
        with self._database.read() as session:
            answer = answers.get(session, answer_id)
            if answer is None:
                raise CorrectionRefused("The answer you are correcting is no longer there.")
            question = questions.get(session, answer.question_id)
            earlier = questions.earlier_in_thread(session, question)
        if self._teams.far(question.team_id) != team_in(user_id):
            raise CorrectionRefused("The answer you are correcting is no longer there.")
        before = clean_questions(each.text for each in earlier)
        asked = in_thread(_asked(question.text), before).kept
        _check(output, without_citations(answer.text))
        seen_by = audience_of(
            (source.audience for source in answer.sources),
            asked_in if question.place != "dm" else None,
            self._audiences.everyone_in(question.team_id),
        )
        is_private = question.place == "dm" and question.user_id != id_in(user_id)
        new = NewPair(
            input=asked,
            output=output,
            author=user_id,
            origin="slack",
            origin_key=key,
            language="no" if detect_language(asked) == "no" else "en",
            audience=seen_by.audience,
            reason=reason,
            answer_id=answer.id,
            place=self._teams.name(question.team_id, question.channel),
            sources=tuple(
                dict.fromkeys(PairSource(s.uri, s.heading) for s in answer.sources if s.cited)
            ),
            holds=(*seen_by.holds, *((ASKED_IN_PRIVATE,) if is_private else ())),
            derived_from=answer.pair_id,
        )
        (found,) = self.look_at([new])
        at_once = user_id if self.counts_at_once(user_id) else None
        with self._database.write() as session:
            pair = self.propose_in(session, new, found, at_once)
            try_first(session, pair, answer)
            failpoint("correction.in_transaction")
            if at_once is not None:
                pair = self.approve_in(session, pair.id, user_id)
        failpoint("correction.after_commit")
        return pair

    def adopt(
        self,
        *,
        question: str,
        text: str,
        author: str,
        chosen_by: str,
        place: str,
        audience: str,
        key: str,
        answer_id: int | None = None,
        asked_by: str | None = None,
    ) -> Pair:
        """Make a colleague's good reply the answer to a question.

        Args:
            question: What was asked.
            text: The reply, as the colleague wrote it.
            author: Who wrote it.
            chosen_by: Who found it good; it counts at once if that is an expert.
            place: The channel it stands in, as `bot.teams` calls it.
            audience: Who may see it: the channel itself, unless everyone can read there.
            key: The same in every delivery of this choice.
            answer_id: The bot's own answer to the question, if there is one: its asker is told.
            asked_by: Who asked, as `bot.teams` calls them.

        Raises:
            CorrectionRefused: there is no question, or the text is empty or too long.
            NotAllowed: this person may not propose.
        """
        self._permissions.require(chosen_by, "propose a correction")
        output = without_citations(text.replace("\x00", "")).strip()
        asked = _asked(question)
        _check(output, "")
        with self._database.read() as session:
            answer = answers.get(session, answer_id) if answer_id is not None else None
        seen_by = audience_of(
            () if answer is None else (source.audience for source in answer.sources),
            audience,
            self._audiences.everyone_in(team_in(place)),
        )
        new = NewPair(
            input=asked,
            output=output,
            author=author,
            origin="slack",
            origin_key=key,
            language="no" if detect_language(asked) == "no" else "en",
            audience=seen_by.audience,
            answer_id=answer_id,
            place=place,
            holds=seen_by.holds,
            asked_by=asked_by,
        )
        (found,) = self.look_at([new])
        at_once = chosen_by if self.counts_at_once(chosen_by) else None
        with self._database.write() as session:
            pair = self.propose_in(session, new, found, at_once)
            try_first(session, pair, answer)
            if pair.state == "proposed" and at_once is not None:
                pair = self.approve_in(session, pair.id, chosen_by)
        return pair

    def edit(self, *, pair_id: int, text: str, reason: str, user_id: str, key: str) -> Pair:
        """Approve a waiting pair in an expert's own words, in place of the one proposed.

        Raises:
            CorrectionRefused: the text is empty or too long.
            NotAllowed: this person may not approve.
            PairChangeRefused: the pair does not wait any more.
        """
        self._permissions.require(user_id, "approve a correction")
        output = without_citations(text.replace("\x00", "")).strip()
        _check(output, "")
        with self._database.read() as session:
            proposed = pairs.get(session, pair_id)
            answer = answers.get(session, proposed.answer_id) if proposed.answer_id else None
        if output == proposed.output:
            return self.approve(pair_id, user_id)
        new = NewPair(
            input=proposed.input,
            output=output,
            author=user_id,
            origin="slack",
            origin_key=key,
            language=proposed.language,
            audience=proposed.audience,
            reason=reason,
            answer_id=proposed.answer_id,
            sources=proposed.sources,
            place=proposed.place,
            holds=holds_that_stay(proposed.holds),
            asked_by=proposed.asked_by,
            derived_from=proposed.id,
        )
        (found,) = self.look_at([new])
        with self._database.write() as session:
            pairs.reject(session, pair_id, user_id)
            better = self.propose_in(session, new, found, user_id)
            try_first(session, better, answer)
            return self.approve_in(session, better.id, user_id)

    def approve(self, pair_id: int, actor: str) -> Pair:
        """Approve a proposed pair. Raises `PairChangeRefused`."""
        with self._database.write() as session:
            return self.approve_in(session, pair_id, actor)

    def confirm(self, pair_id: int, actor: str) -> Pair:
        """Say that a pair marked for review is still right. Raises `PairChangeRefused`."""
        with self._database.write() as session:
            return pairs.confirm(session, pair_id, actor)

    def approve_in(self, session: Session, pair_id: int, actor: str) -> Pair:
        """Approve a pair within a transaction, together with the work that follows.

        Where two experts are needed, the first one's approval alone changes nothing else.
        """
        pair = open_conflicts(session, pairs.get(session, pair_id))
        pair = self.approve_fresh(session, pair, actor)
        if pair.state == "approved":
            key = f"due:{pair.id}"
            jobs.enqueue(session, "consider_retraining", {"pair_id": pair.id}, key=key)
        return pair

    def approve_fresh(self, session: Session, pair: Pair, actor: str) -> Pair:
        """Approve a pair that was laid beside the others in this very transaction.

        Whether it is time to train is for the caller to ask, once for many pairs.
        """
        needed = 2 if pair.place in self._two_experts else 1
        pair = pairs.approve(session, pair, actor, needed)
        if pair.state != "approved":
            return pair
        jobs.enqueue(session, "learn_pair", {"pair_id": pair.id}, key=f"learn:{pair.id}")
        if pair.answer_id is not None:
            jobs.enqueue(session, "tell_asker", {"pair_id": pair.id}, key=f"tell:{pair.id}")
        return pair

    def decide(self, conflict_id: int, outcome: str, actor: str) -> None:
        """Say which of two contradicting pairs is right: `older`, `newer` or `both`.

        Raises:
            PairChangeRefused: this is decided already.
        """
        with self._database.write() as session:
            decided = pairs.decide_conflict(
                session, conflict_id, outcome, actor, "decided in App Home"
            )
            for pair_id in (decided.older_id, decided.newer_id):
                key = f"learn:{pair_id}:conflict:{conflict_id}"
                jobs.enqueue(session, "learn_pair", {"pair_id": pair_id}, key=key)

    def reject(self, pair_id: int, actor: str) -> Pair:
        """Turn a proposed pair down. Raises `PairChangeRefused`."""
        with self._database.write() as session:
            return pairs.reject(session, pair_id, actor)

    def revoke(self, pair_id: int, actor: str) -> Pair:
        """Take an approved pair back: it is no longer answered with, nor trained on."""
        with self._database.write() as session:
            pair = pairs.revoke(session, pair_id, actor)
            jobs.enqueue(session, "unlearn_pair", {"pair_id": pair.id}, key=f"unlearn:{pair.id}")
            return pair


def _asked(text: str) -> str:
    try:
        return clean_question(text)
    except QuestionUnusable as unusable:
        raise CorrectionRefused(
            "There was no question in that message, so there is nothing to answer better."
        ) from unusable


def _check(output: str, answered: str) -> None:
    if not output:
        raise CorrectionRefused("Write the answer that should have been given.")
    if len(output) > LONGEST_CORRECTION:
        raise CorrectionRefused(
            "Your answer has {length:,} characters; {longest:,} fit. Shorten it.",
            length=len(output),
            longest=LONGEST_CORRECTION,
        )
    if answered and " ".join(output.split()) == " ".join(answered.split()):
        raise CorrectionRefused("This is the answer that was given. Change what is wrong in it.")
